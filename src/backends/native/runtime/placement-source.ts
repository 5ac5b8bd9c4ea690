// C text of the runtime library: which processor a thread of a run begins on.

/**
 * Threads that begin a run on one processor stay there for milliseconds though another is idle: a thread that is woken
 * goes to an idle processor, but in a virtual machine the system takes those that have slept for a while for busy ones,
 * and it moves no thread that has just run. So before a run begins, threads that sleep, or lie where another thread of
 * the run is, are forbidden the processors of the others until they run. Later the system may move them as it likes.
 */
export const placementSource = `
#ifdef __linux__
typedef cpu_set_t processors;
/* Where a thread is: the system's number for it, 0 until it has started, and where it was last seen. */
struct place {
  u32 thread, processor;
  int moved;
  processors allowed;
};

/* The place of this thread; the first of a run has none. */
static _Thread_local struct place *mine;

static void note_place(void) {
  if (mine) store(&mine->processor, sched_getcpu());
}

static void begin_place(struct place *p) {
  mine = p;
  note_place();
  store(&p->thread, syscall(SYS_gettid));
}

/* It runs: it may be moved again. */
static void settle(void) {
  note_place();
  if (mine->moved) sched_setaffinity(0, sizeof mine->allowed, &mine->allowed);
  mine->moved = 0;
}

static void only_here(processors *taken) {
  CPU_ZERO(taken);
  CPU_SET(sched_getcpu(), taken);
}

/* Gives a thread that has no part in the present run a processor that is not taken, as far as there is one. */
static void place_apart(struct place *p, int asleep, processors *taken) {
  u32 thread = load(&p->thread), processor = load(&p->processor);
  int alone = processor < CPU_SETSIZE && !CPU_ISSET(processor, taken);
  if (thread != 0 && !(alone && !asleep) && sched_getaffinity(thread, sizeof p->allowed, &p->allowed) == 0) {
    processors free;
    CPU_AND(&free, &p->allowed, taken);
    CPU_XOR(&free, &free, &p->allowed);
    p->moved = CPU_COUNT(&free) > 0 && sched_setaffinity(thread, sizeof free, &free) == 0;
  }
  if (alone) CPU_SET(processor, taken);
}
#else
typedef int processors;
struct place { int unused; };
static void note_place(void) {}
static void begin_place(struct place *p) { (void)p; }
static void settle(void) {}
static void only_here(processors *taken) { *taken = 0; }
static void place_apart(struct place *p, int asleep, processors *taken) { (void)p, (void)asleep, (void)taken; }
#endif
`;
