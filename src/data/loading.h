/* The loader threads. Darknet deals a batch to 32 or 64 parts, which were as many threads; each part has its own stream
 * of random numbers (random_stream.h). The parts stay, so that a seed gives the same images whatever the machine, but
 * no more threads work on them than there are processors. */
#ifndef LOADING_H
#define LOADING_H

#include "darknet.h"

/* How many threads load; 0 (the default): one for every processor that the program may use. */
void loading_set_threads(int threads);

/* Loads parts[0..n-1], each as load_data_blocking does, in any order; returns when all are there. */
void load_parts(const load_args *parts, int n);

#endif
