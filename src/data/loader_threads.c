/* Loads the parts of a batch in parallel. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "data/loader_threads.h"

#include "data.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static int wanted;

void loading_set_threads(int threads)
{
    wanted = threads;
}

/* The processors that this process may use: with taskset or in a container, fewer than the machine has. */
static int processors(void)
{
#ifdef CPU_COUNT
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set)) return CPU_COUNT(&set);
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

typedef struct {
    const load_args *parts;
    int n, next;
} work;

static void *load_next(void *pointer)
{
    work *w = (work *)pointer;
    int i;
    while ((i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED)) < w->n) load_data_blocking(w->parts[i]);
    return 0;
}

void load_parts(const load_args *parts, int n)
{
    work w = {parts, n, 0};
    int threads = wanted ? wanted : processors(), started = 0, i;
    pthread_t *helpers;
    if (threads > n) threads = n;
    helpers = (pthread_t *)calloc(threads > 0 ? threads : 1, sizeof *helpers);
    /* The calling thread loads too. If no thread can be created, loading is only slower. */
    while (helpers && started < threads - 1 && !pthread_create(helpers + started, 0, load_next, &w)) ++started;
    load_next(&w);
    for (i = 0; i < started; ++i) pthread_join(helpers[i], 0);
    free(helpers);
}
