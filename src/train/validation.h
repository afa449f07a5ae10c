/* mAP of a checkpoint while a training goes on: `detector map` in a process of its own, so that neither memory, random
 * numbers nor an end of that program reach the training. */
#ifndef VALIDATION_H
#define VALIDATION_H

/* Evaluates `weights` on the `valid` list of `data_file`, on GPU number `gpu` (below 0: on the CPU), and waits for it.
 * Progress goes to stderr as a line every few seconds. Returns the mAP, 0 to 1; or -1 with the reason in `why` (of
 * `size` bytes, without end of line). */
double validation_map(const char *data_file, const char *cfg_file, const char *weights, int gpu, char *why,
                      unsigned long size);

/* Reads the mAP off a line of `detector map`; 1 when it is that line. For validation_map and its test. */
int validation_read_map(const char *line, double *map);

#endif
