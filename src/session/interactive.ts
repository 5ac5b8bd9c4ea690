// The session that is the default one: `tensor.eval()` and `operation.run()` use it.
import { FailedPreconditionError } from '../base/errors.ts';
import type { SessionOptions } from './options.ts';
import { closeForm, Session } from './session.ts';

let open: InteractiveSession[] = [];

/**
 * A session that is the default one until it is closed: `tensor.eval()` and `operation.run()` use it.
 *
 * ```ts
 * const sess = new tf.InteractiveSession();
 * console.log(await tf.constant(2).add(3).eval());       // 5
 * ```
 */
export class InteractiveSession extends Session {
  constructor(options?: SessionOptions);
  constructor(...given: []) {
    super(...given);
    if (open.length > 0) {
      console.warn(
        'millrace: an InteractiveSession is already open; the new one is the default until it is closed. Close sessions with await sess.close().',
      );
    }
    open.push(this);
  }

  override close(): Promise<void>;
  override async close(...given: unknown[]): Promise<void> {
    closeForm.take(given);
    open = open.filter((s) => s !== this);
    await super.close();
  }
}

/** @internal The session that `eval` and `run` use. */
export function defaultSession(what: string): Session {
  const session = open.at(-1);
  if (!session) {
    throw new FailedPreconditionError(
      `${what} needs a default session, but no InteractiveSession is open: write \`const sess = new tf.InteractiveSession()\` before, or use sess.run(…).`,
    );
  }
  return session;
}
