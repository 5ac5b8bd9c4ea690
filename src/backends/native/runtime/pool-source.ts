// The C text of the runtime library: the threads of the process, and what JavaScript cannot do by itself. It is compiled
// once for a machine and kept in the cache, like programs.

import { callStruct } from '../emit/prelude.ts';
import { placementSource } from './placement-source.ts';

/**
 * One pool a process, shared by all sessions (and JavaScript threads), one run at a time. Thread 0 of a run is the one
 * that calls; the others wait for the next run as they wait in a barrier: they look again and again for a while, some
 * hundred microseconds, which is what waking takes on a virtual machine, then they sleep; at once where the one that they
 * wait for may need their processor.
 */
export const runtimeSource = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#ifdef __linux__
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
${callStruct}
#define EXPORT __attribute__((visibility("default")))
/* How often a thread looks before it sleeps: for the next run, and for the others of a run. */
#define LOOKS 10000
#define LOOKS_INSIDE 40000
/* When one that was woken has not come after so many, some hundred microseconds, it may wait for this processor. */
#define WAKING 4000
#define load(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define look(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, x) __atomic_store_n(p, x, __ATOMIC_SEQ_CST)
#define add(p, x) __atomic_fetch_add(p, x, __ATOMIC_SEQ_CST)

static void pause_a_little(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

${placementSource}
/* A word that threads wait for: how often it has been changed, and how many of them sleep. */
struct word {
  _Alignas(128) u32 value;
  _Alignas(128) u32 asleep;
};

#ifdef __linux__
static void sleep_while(struct word *w, u32 value) { syscall(SYS_futex, &w->value, 128, value, 0, 0, 0); }
static void wake_all(struct word *w) { syscall(SYS_futex, &w->value, 129, 0x7fffffff, 0, 0, 0); }
#else
static pthread_mutex_t sleepers = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static void sleep_while(struct word *w, u32 value) {
  pthread_mutex_lock(&sleepers);
  while (load(&w->value) == value) pthread_cond_wait(&woken, &sleepers);
  pthread_mutex_unlock(&sleepers);
}
static void wake_all(struct word *w) {
  (void)w;
  pthread_mutex_lock(&sleepers);
  pthread_cond_broadcast(&woken);
  pthread_mutex_unlock(&sleepers);
}
#endif

/* Has the run more threads than processors? Then one that waits gives way to those that have none. */
static u32 too_many;

static void wait_while(struct word *w, u32 value, int looks) {
  for (int i = 0; i < looks; i++) {
    if (look(&w->value) != value) return;
    if (i % 64 == 0) {
      note_place();
      if (look(&too_many)) sched_yield();
      else if (crowded() || (i >= WAKING && load(&w->asleep))) break;
    }
    pause_a_little();
  }
  leave_place();
  add(&w->asleep, 1);
  while (load(&w->value) == value) sleep_while(w, value);
  add(&w->asleep, -1);
  note_place();
}

static void change(struct word *w, u32 value) {
  store(&w->value, value);
  if (load(&w->asleep)) wake_all(w);
}

/* The barrier of the run that goes on. */
static struct word passed;
static _Alignas(128) u32 arrived;
static u32 team;

static void barrier(void) {
  u32 before = look(&passed.value);
  /* Read before arriving: after the last thread has arrived, the next run may be beginning. */
  u32 threads = team;
  if (add(&arrived, 1) + 1 == threads) {
    store(&arrived, 0);
    change(&passed, before + 1);
  } else {
    wait_while(&passed, before, LOOKS_INSIDE);
  }
}

struct member {
  struct word calls;
  i64 number;
  struct place place;
};
static struct member **members;
static u32 count;
static const struct call *current;
static pthread_mutex_t one_run = PTHREAD_MUTEX_INITIALIZER;

static void *member_main(void *argument) {
  struct member *me = argument;
  begin_place(&me->place);
  for (u32 seen = 0;; seen++) {
    wait_while(&me->calls, seen, LOOKS);
    settle();
    current->run(current, me->number);
    barrier();
  }
  return 0;
}

/* This library must stay when JavaScript lets go of it, at the end of the process too: threads are inside. */
static void stay(void) {
  Dl_info me;
  if (dladdr((void *)&members, &me)) dlopen(me.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

static int grow(u32 wanted) {
  if (wanted <= count) return 1;
  if (count == 0) stay();
  struct member **more = realloc(members, wanted * sizeof *members);
  if (!more) return 0;
  members = more;
  while (count < wanted) {
    struct member *m = 0;
    if (posix_memalign((void **)&m, 128, sizeof *m)) return 0;
    *m = (struct member){.number = count + 1};
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, member_main, m);
    pthread_attr_destroy(&attributes);
    if (failed) {
      free(m);
      return 0;
    }
    members[count++] = m;
  }
  return 1;
}

static f64 now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

/* A run of one thread, while others may be using the pool. */
static i32 alone(struct call *call) {
  call->threads = 1;
  return call->run(call, 0);
}

/*
 * Runs on as many threads as the call may have, or, if it must not wait for another run, on this one alone. -1 if they
 * could not be started, and nothing has run.
 */
EXPORT i32 millrace_execute(u64 address, i32 patient) {
  struct call *call = (struct call *)(uintptr_t)address;
  call->wait = barrier;
  call->now = now;
  if (call->most == 1) return alone(call);
  if (patient) pthread_mutex_lock(&one_run);
  else if (pthread_mutex_trylock(&one_run) != 0) return alone(call);
  if (!grow(call->most - 1)) {
    pthread_mutex_unlock(&one_run);
    return patient ? -1 : alone(call);
  }
  call->threads = call->most;
  processors taken;
  store(&too_many, call->threads > begin_here(&taken));
  team = call->threads;
  current = call;
  for (i64 i = 0; i < call->threads - 1; i++) {
    struct member *m = members[i];
    place_apart(&m->place, load(&m->calls.asleep) != 0, &taken);
    change(&m->calls, m->calls.value + 1);
  }
  i32 code = call->run(call, 0);
  barrier();
  pthread_mutex_unlock(&one_run);
  return code;
}

EXPORT f64 millrace_now(void) { return now(); }
EXPORT u64 millrace_address(void *p) { return (uintptr_t)p; }

/* Large pieces of memory in large pages, where the system has them. */
EXPORT void millrace_advise(u64 address, u64 bytes) {
#ifdef __linux__
  madvise((void *)(uintptr_t)address, bytes, 14);
#else
  (void)address, (void)bytes;
#endif
}

EXPORT u64 millrace_open(const char *path) { return (uintptr_t)dlopen(path, RTLD_NOW | RTLD_LOCAL); }
EXPORT u64 millrace_symbol(u64 library, const char *name) { return (uintptr_t)dlsym((void *)(uintptr_t)library, name); }
EXPORT const char *millrace_error(void) { return dlerror(); }
EXPORT void millrace_close(u64 library) { dlclose((void *)(uintptr_t)library); }
`;
