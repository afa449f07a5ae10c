/* Loads a batch with several threads.
 *
 * Darknet divides a batch into 32 or 64 parts and starts a thread for each. Here the parts are the same, because each
 * has its own stream of random numbers (random_stream.h) and a seed must give the same images on any machine. But there
 * are only as many threads as processors.
 */
#ifndef LOADER_THREADS_H
#define LOADER_THREADS_H

#include "darknet.h"

/* Sets the number of threads that load; 0 (the default): one per processor that the program may use. */
void loading_set_threads(int threads);

/* Loads parts[0..n-1] with load_data_blocking, in any order. Returns when all are loaded. */
void load_parts(const load_args *parts, int n);

#endif
