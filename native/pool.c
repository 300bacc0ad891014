#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "burn.h"

/* Tasks that are claimed at a time: some microseconds of work, so that the wait for the last tasks is short. */
#define TASKS_AT_ONCE 8u
/*
 * Times that a helper polls for work before it sleeps, some tens of microseconds, since the next batch is likely to
 * follow soon.
 */
#define LOOKS 2000u
/* Times that the caller polls for the last helper before it yields the processor. */
#define LOOKS_BEFORE_YIELD 1000u

/*
 * The unclaimed tasks, in one word, so that claiming is atomic: the number of tasks in the upper half, the next task in
 * the lower half. A late helper sees the word of another run, and claims tasks of that run or none.
 */
#define TASKS_SHIFT 32u

struct helper {
  struct wt_pool *pool;
  pthread_t thread;
  uint32_t worker;
};

struct wt_pool {
  _Atomic uint64_t open;
  /* Tasks of the run that are done. */
  _Atomic uint32_t done;
  _Atomic uint32_t sleepers;
  _Atomic bool is_ending;
  /* Written between runs; read only by threads that claimed tasks of this run. */
  wt_pool_work *work;
  void *context;

  pthread_mutex_t mutex;
  pthread_cond_t opened;
  uint32_t helper_count;
  struct helper helpers[];
};

static uint32_t next_of(uint64_t open) {
  return (uint32_t)open;
}

static uint32_t tasks_of(uint64_t open) {
  return (uint32_t)(open >> TASKS_SHIFT);
}

static bool has_work(struct wt_pool *pool) {
  uint64_t open = atomic_load(&pool->open);
  return next_of(open) < tasks_of(open);
}

static void rest(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/* Claims and runs tasks until no task is left. */
static void work_along(struct wt_pool *pool, uint32_t worker) {
  uint64_t open = atomic_load(&pool->open);
  while (next_of(open) < tasks_of(open)) {
    uint32_t from = next_of(open);
    uint32_t to = from + TASKS_AT_ONCE < tasks_of(open) ? from + TASKS_AT_ONCE : tasks_of(open);
    if (!atomic_compare_exchange_weak(&pool->open, &open, open + (to - from))) continue;
    pool->work(pool->context, worker, from, to);
    atomic_fetch_add(&pool->done, to - from);
    open = atomic_load(&pool->open);
  }
}

static void sleep_until_work(struct wt_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleepers, 1);
  while (!has_work(pool) && !atomic_load(&pool->is_ending)) pthread_cond_wait(&pool->opened, &pool->mutex);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *help(void *data) {
  struct helper *helper = data;
  struct wt_pool *pool = helper->pool;
  pthread_setname_np(pthread_self(), "wiretype-cipher");
  while (!atomic_load(&pool->is_ending)) {
    work_along(pool, helper->worker);
    uint32_t looks = 0;
    while (looks++ < LOOKS && !has_work(pool)) rest();
    if (has_work(pool)) continue;
    wt_burn_stack(); /* Keys of the last tasks must not remain on the stack while the thread sleeps. */
    sleep_until_work(pool);
  }
  return NULL;
}

static void wake(struct wt_pool *pool) {
  if (atomic_load(&pool->sleepers) == 0) return;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->opened);
  pthread_mutex_unlock(&pool->mutex);
}

/* Helpers block all signals: the thread that runs the pool handles them. */
static bool start_helpers(struct wt_pool *pool, uint32_t helpers) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (; pool->helper_count < helpers; pool->helper_count++) {
    struct helper *helper = &pool->helpers[pool->helper_count];
    *helper = (struct helper){.pool = pool, .worker = pool->helper_count + 1};
    if (pthread_create(&helper->thread, NULL, help, helper) != 0) break;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return pool->helper_count == helpers;
}

struct wt_pool *wt_pool_create(uint32_t helpers) {
  if (helpers == 0 || helpers > WT_POOL_MAX_HELPERS) return NULL;
  struct wt_pool *pool = calloc(1, sizeof *pool + helpers * sizeof pool->helpers[0]);
  if (pool == NULL) return NULL;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->opened, NULL);
  if (start_helpers(pool, helpers)) return pool;
  wt_pool_destroy(pool);
  return NULL;
}

void wt_pool_run(struct wt_pool *pool, wt_pool_work *work, void *context, uint32_t tasks) {
  pool->work = work;
  pool->context = context;
  atomic_store(&pool->done, 0);
  atomic_store(&pool->open, (uint64_t)tasks << TASKS_SHIFT);
  if (tasks > TASKS_AT_ONCE) wake(pool);

  work_along(pool, 0);
  for (uint32_t looks = 0; atomic_load(&pool->done) < tasks; looks++) {
    if (looks < LOOKS_BEFORE_YIELD) rest();
    else sched_yield();
  }
}

void wt_pool_destroy(struct wt_pool *pool) {
  if (pool == NULL) return;
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->is_ending, true);
  pthread_cond_broadcast(&pool->opened);
  pthread_mutex_unlock(&pool->mutex);
  for (uint32_t i = 0; i < pool->helper_count; i++) pthread_join(pool->helpers[i].thread, NULL);
  pthread_cond_destroy(&pool->opened);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}
