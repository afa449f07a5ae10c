/* Random numbers for loading images that are the same whenever the seed is the same.
 *
 * Darknet draws training images and their augmentation with rand(), in dozens of threads at once. Which thread gets
 * which number is a race, so two runs with one seed see different data. Here every part of a batch has its own stream,
 * which depends only on the seed, the number of the batch and the number of the part. A resumed training therefore
 * draws what it would have drawn without the interruption. (Two exceptions: with random=1, every resize discards loaded
 * batches, and with several GPUs, Darknet's batch number runs ahead.)
 *
 * Darknet's sources are compiled with this header in front of them (-include), so that their rand() is random_rand().
 * It uses the stream of the calling thread if it has one, and otherwise calls C's rand().
 */
#ifndef RANDOM_STREAM_H
#define RANDOM_STREAM_H

#include <stdlib.h>

/* Sets the seed, for -seed. Without a call, the seed is the current time. */
void random_set_seed(unsigned seed);

/* The seed of this run. */
unsigned random_seed(void);

/* Numbers the next loads, beginning with `first`. A load is one call of load_data, which loads a batch. */
void random_begin_loads(unsigned long long first);

/* Returns the stream of part `part` of a load; part 0 begins the next load. 0 before random_begin_loads. Call it from
 * one thread at a time, for part 0 first. */
unsigned long long random_next_stream(int part);

/* Makes this the stream of the calling thread; 0: no stream. */
void random_use_stream(unsigned long long stream);

/* Replaces rand(): a number in 0..RAND_MAX from the thread's stream, or from C's rand() without one. */
int random_rand(void);

#ifndef RANDOM_STREAM_IMPLEMENTATION
#define rand random_rand
#endif

#endif
