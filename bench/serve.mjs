// A contender's side of the conversation with the bench: a line with a number of steps comes, a list of times goes.
import { createInterface } from 'node:readline';

/** Tells the bench something about the contender: an object on a line of its own. */
export const tell = (facts) => console.log(JSON.stringify(facts));

/** Takes steps as asked for over stdin, until it is closed. */
export async function serve(step) {
  for await (const line of createInterface({ input: process.stdin })) {
    const times = [];
    for (let i = Number(line); i > 0; i--) {
      const begin = performance.now();
      await step();
      times.push(performance.now() - begin);
    }
    console.log(JSON.stringify(times));
  }
}
