// The docs of a function stand at the first of its overloads. On the site each overload has them, with the @param tags
// that it has a parameter for. A tag that none of them has a use for stays, and TypeDoc warns of it.
import { Converter, ReflectionKind } from 'typedoc';

/** May something of this type have a property of this name? What is not known may. */
function mayHave(type, property) {
  if (!type) return false;
  if (type.type === 'reflection') return type.declaration.getChildByName(property) !== undefined;
  if (type.type === 'reference') return type.reflection ? type.reflection.getChildByName(property) !== undefined : true;
  return type.types?.some((t) => mayHave(t, property)) ?? false;
}

const uses = (signature, name) => {
  const [root, property] = name.split('.');
  const parameter = signature.parameters?.find((p) => p.name === root);
  return parameter !== undefined && (property === undefined || mayHave(parameter.type, property));
};

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const { signatures = [] } of project.getReflectionsByKind(ReflectionKind.FunctionOrMethod)) {
      const docs = signatures[0]?.comment;
      if (!docs || signatures.length === 1) continue;
      const useless = docs.blockTags
        .filter((t) => t.name && !signatures.some((s) => uses(s, t.name)))
        .map((t) => t.name);
      for (const signature of signatures) {
        signature.comment ??= docs.clone();
        const keeps = (t) => !t.name || useless.includes(t.name) || uses(signature, t.name);
        signature.comment.blockTags = signature.comment.blockTags.filter(keeps);
      }
    }
  });
}
