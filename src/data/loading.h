/* The threads that load a batch.
 *
 * Darknet divides a batch into 32 or 64 parts and starts a thread for each. Here the parts stay, because each has its
 * own stream of random numbers (random_stream.h) and a seed must give the same images on any machine; but only as many
 * threads work on them as there are processors.
 */
#ifndef LOADING_H
#define LOADING_H

#include "darknet.h"

/* How many threads load; 0 (the default): one for every processor that the program may use. */
void loading_set_threads(int threads);

/* Loads parts[0..n-1], each as load_data_blocking does, in any order; returns when all are there. */
void load_parts(const load_args *parts, int n);

#endif
