// What is drawn, is drawn before the next picture of the screen, once.

/** A function that asks for that, any number of times. */
export function beforeNextFrame(draw: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}
