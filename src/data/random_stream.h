/* Random numbers for loading images that a seed repeats.
 *
 * Darknet draws training images and their augmentation with rand(), from dozens of loader threads at once: which thread
 * gets which number depends on chance, so two runs from one seed see different data. Here every part of a batch has a
 * stream of its own, which depends on the seed, the number of the batch and the number of the part alone. A training
 * that is resumed therefore draws what it would have drawn without the interruption. (Two exceptions: with random=1
 * every resize throws loaded batches away, and with several GPUs Darknet's batch number runs ahead.)
 *
 * Darknet's sources are compiled with this header in front of them (-include), so that their rand() is random_rand():
 * it reads the stream of the calling thread where that thread has one, and is C's rand() everywhere else.
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
