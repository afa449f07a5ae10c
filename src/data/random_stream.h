/* Random numbers that a seed repeats.
 *
 * Darknet draws training images and their augmentation by rand() from dozens of loader threads at once, so two runs
 * from one seed see different data. Darknet's sources are compiled with this header in front (-include): rand() then
 * reads a stream of the calling thread where that thread has one, and is C's rand() otherwise, so that everything
 * outside the trainers stays as it was. A stream depends on (seed, batch number, part of the batch) alone: a resumed
 * run draws what the run that was cut off would have drawn. (Not with random=1, whose resizes throw batches away, and
 * not with several GPUs, where Darknet's batch number runs ahead.)
 */
#ifndef RANDOM_STREAM_H
#define RANDOM_STREAM_H

#include <stdlib.h>

/* Sets the seed that -seed gave; without it, the time. */
void random_set_seed(unsigned seed);

/* The seed of this run. */
unsigned random_seed(void);

/* From now on the loads of load_data are numbered, beginning with `first`. */
void random_begin_loads(unsigned long long first);

/* The stream for part `part` of the load that begins with part 0; 0 before random_begin_loads. Calls come from one
 * thread at a time, part 0 first. */
unsigned long long random_next_stream(int part);

/* Gives the calling thread this stream; 0: none. */
void random_use_stream(unsigned long long stream);

/* rand(): 0..RAND_MAX from the thread's stream, or C's rand(). */
int random_rand(void);

#ifndef RANDOM_STREAM_IMPLEMENTATION
#define rand random_rand
#endif

#endif
