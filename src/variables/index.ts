// Variables by name, their scopes, and what they begin with.
export { type GetVariableOptions, getVariable } from './get-variable.ts';
export {
  constant as constantInitializer,
  glorotNormal as glorotNormalInitializer,
  glorotUniform as glorotUniformInitializer,
  type Initializer,
  ones as onesInitializer,
  orthogonal as orthogonalInitializer,
  randomNormal as randomNormalInitializer,
  randomUniform as randomUniformInitializer,
  truncatedNormal as truncatedNormalInitializer,
  varianceScaling as varianceScalingInitializer,
  zeros as zerosInitializer,
} from './initializers.ts';
export {
  AUTO_REUSE,
  getVariableScope,
  type Regularizer,
  type Reuse,
  type VariableScope,
  type VariableScopeOptions,
  variableScope,
} from './scope.ts';
