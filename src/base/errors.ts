// The classes of errors that millrace throws. Every message says what was expected, what came, and what to do.

import { captureSite, framesOf, type Site } from './stack.ts';

/** Made when somebody asks: the message may get more lines. */
const stack: PropertyDescriptor & ThisType<MillraceError> = {
  configurable: true,
  get() {
    return `${this.name}: ${this.message}\n${framesOf(this.site as Site)}`;
  },
  set(value: unknown) {
    Object.defineProperty(this, 'stack', { value, writable: true });
  },
};

/** The base of every error that millrace throws on purpose. Its stack begins at the user's line. */
export class MillraceError extends Error {
  #site: Site | undefined;

  constructor(message?: string, options?: ErrorOptions) {
    const isInternal = new.target === InternalError;
    const before = Error.stackTraceLimit;
    // One stack is enough.
    if (!isInternal) Reflect.set(Error, 'stackTraceLimit', 0);
    super(message, options);
    Reflect.set(Error, 'stackTraceLimit', before);
    if (isInternal) return;
    this.#site = captureSite();
    Object.defineProperty(this, 'stack', stack);
  }

  /** @internal */
  get site(): Site | undefined {
    return this.#site;
  }

  /** @internal It came to light later: its stack is that of the call that asked for what failed. */
  askedAt(site: Site): this {
    if (this.#site) this.#site = site;
    return this;
  }

  /** The name of the class: `'ShapeMismatchError'`. */
  override get name(): string {
    return this.constructor.name;
  }
}

/** Shapes that do not fit together, or a size, axis or rank that is not possible. */
export class ShapeMismatchError extends MillraceError {}
/** An element type that does not fit. */
export class DTypeError extends MillraceError {}
/** A value or option that is not allowed. */
export class InvalidArgumentError extends MillraceError {}
/** A graph used in a way that it cannot be: tensors of two graphs mixed, a finalized graph changed. */
export class GraphError extends MillraceError {}
/** A feed that is missing, malformed, or of the wrong shape or element type. */
export class FeedError extends MillraceError {}
/** Something that cannot be fetched. */
export class FetchError extends MillraceError {}
/** The session is not in a state that allows the call: variables not initialized, session closed, none open. */
export class FailedPreconditionError extends MillraceError {}
/** Not enough memory. */
export class ResourceExhaustedError extends MillraceError {}
/** A backend that does not exist or cannot run here, or a worker that was lost. */
export class UnavailableError extends MillraceError {}
/** A dataset that is missing, incomplete or malformed. */
export class DataError extends MillraceError {}
/** A bug in millrace itself: a compiler pass produced something that its verifier refuses. Its stack is whole. */
export class InternalError extends MillraceError {}
