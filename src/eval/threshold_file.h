/* X_best.json beside X_best.weights: the threshold at which these weights have their highest F1, for those who run
 * them.
 *
 *     {"weights_crc32": 305419896, "iteration": 1200, "map": 0.53,
 *      "threshold": 0.21, "f1": 0.61, "precision": 0.66, "recall": 0.57,
 *      "classes": [{"name": "dog", "ap": 0.5, "threshold": 0.19, "f1": ..., "precision": ..., "recall": ...}, ...]}
 *
 * The four numbers are null where nothing was right, `ap` where there are no objects of the class. `weights_crc32` is
 * the CRC-32 of the weights file without its last 8 bytes: the last bytes of a weights file are its own CRC-32, so that
 * with them the number would be the same for all. The file is replaced only after the weights are, so a program that is
 * killed between the two leaves a file with the checksum of other weights; so does one who copies weights to this name.
 * Such a file is not used.
 */
#ifndef THRESHOLD_FILE_H
#define THRESHOLD_FILE_H

#include "eval/threshold_search.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What was measured with the weights. */
typedef struct {
    uint32_t weights_crc32;
    size_t iteration;
    double map;
    best_threshold all; /* one threshold for all classes; of F1 0 there is none */
    int classes;
    char **names;
    double *ap;                /* [classes]; -1: no objects */
    best_threshold *per_class; /* [classes] */
} threshold_record;

/* Writes "threshold": ..., "f1": ..., "precision": ..., "recall": ...; null where F1 is 0. */
void json_put_threshold(FILE *out, const best_threshold *best);

/* The number in `weights_crc32` of a weights file. Returns 0 and sets *crc, or a value of errno. */
int weights_file_crc32(const char *path, uint32_t *crc);

/* Writes the file atomically. Returns 0 or a value of errno; the old file is then unchanged. */
int threshold_file_write(const char *path, const threshold_record *record);

/* Looks for the file beside weights whose name ends in _best.weights or _best.old.weights. Returns 1 and sets
 * *threshold where it holds one for these weights. Returns 0, and leaves *threshold, where there is none; a file that
 * is damaged, belongs to other weights or has no threshold is named in one line on stderr. In both cases the caller's
 * default is what the user would have without the file, so nothing stops. `weights` may be NULL. Where a threshold is
 * found, a line on stderr says so. */
int threshold_of_weights(const char *weights, double *threshold);

#endif
