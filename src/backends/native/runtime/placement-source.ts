// C text of the runtime library: which processor a thread of a run begins on, and who else of the pool is there.

/**
 * Threads that begin a run on one processor stay there for milliseconds though another is idle: a thread that is woken
 * goes to an idle processor, but in a virtual machine the system takes those that have slept for a while for busy ones,
 * and it moves no thread that has just run. So before a run begins, threads that sleep, or lie where another thread of
 * the run is, are forbidden the processors of the others until they run. Later the system may move them as it likes.
 *
 * A thread that waits where another of the pool is, is waited for by it in turn: it must sleep. To give way
 * (sched_yield) is no help: beside a busy neighbour it hands the processor to that one, for milliseconds a barrier. So
 * for each processor there is a count of the threads that were last seen there awake.
 */
export const placementSource = `
#ifdef __linux__
typedef cpu_set_t processors;
/* Where a thread is: the system's number for it, 0 until it has started, and where it was last seen. */
struct place {
  u32 thread, processor;
  int moved, awake;
  processors allowed;
};

/* The place of this thread. */
static _Thread_local struct place *mine;
/* That of the thread which began the last run. */
static struct place first_place;
/* How many threads were last seen on each processor awake. */
static u32 awake_at[CPU_SETSIZE];

static void count_place(u32 change) {
  if (mine->processor < CPU_SETSIZE) add(&awake_at[mine->processor], change);
  mine->awake += change;
}

static void note_place(void) {
  u32 here = sched_getcpu();
  if (mine->awake && here == mine->processor) return;
  if (mine->awake) count_place(-1);
  store(&mine->processor, here);
  count_place(1);
}

static int crowded(void) { return mine->processor < CPU_SETSIZE && look(&awake_at[mine->processor]) > 1; }

static void leave_place(void) { count_place(-1); }

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

/* The calling thread begins a run; gives how many processors it may use. */
static i64 begin_here(processors *taken) {
  mine = &first_place;
  note_place();
  CPU_ZERO(taken);
  CPU_SET(mine->processor, taken);
  processors allowed;
  return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : CPU_SETSIZE;
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
static void leave_place(void) {}
static int crowded(void) { return 0; }
static void begin_place(struct place *p) { (void)p; }
static void settle(void) {}
static i64 begin_here(processors *taken) {
  *taken = 0;
  return INT64_MAX;
}
static void place_apart(struct place *p, int asleep, processors *taken) { (void)p, (void)asleep, (void)taken; }
#endif
`;
