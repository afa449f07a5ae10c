/* The trailer of a weights file: a checksum of the whole file, Darknet's header and weights included; and, in a file
 * that a training goes on from, the state of the optimiser (optimiser_state.h).
 *
 *     Darknet's header and weights | soft-label blocks (ols.h) | trailer
 *
 * Every file with the weights of a whole network has one. Darknet's header announces it: its third number, which
 * Darknet writes as 0 and nobody reads, is TRAILER_MARK. So a file that has lost its trailer is not taken for one that
 * never had one. Files without mark and trailer are those of other programs and of versions up to 0.2, and the first
 * layers that `darknet partial` saves; of these only the soft labels have a checksum.
 *
 * The layout, by byte offset; negative offsets count from the end. All integers are little-endian.
 *       0  8        magic "OLSwhole"
 *       8  u32      version, 1
 *      12  u32      n, the arrays of optimiser state; 0 in most files
 *      16  u64      images seen; must be the number in Darknet's header
 *      24  u32      updates of the weights so far, which Adam counts; 0 where n is 0
 *      28  u32      images of an update (batch= of the cfg), over which the state sums gradients; 0 where n is 0
 *      32           n arrays: u64 their length, and as many f32; length 0: all are 0
 *     -16  u64      length of the trailer in bytes
 *      -8  u32      CRC-32 of the whole file before it
 *      -4  4        "OLS\n"
 */
#ifndef TRAILER_H
#define TRAILER_H

#include "darknet.h"

#include <stdint.h>
#include <stdio.h>

enum { TRAILER_MARK = 0x32534c4f /* "OLS2" */, TRAILER_BYTES = 48 /* without arrays */ };

typedef struct {
    long long begin; /* offset in the file; the size of the file if it has no trailer */
    uint32_t version, arrays;
    uint64_t seen;
    uint32_t updates, batch;
} trailer;

/* Appends the trailer to a file with the weights of `net`, with the state of the optimiser if `with_optimiser` is set.
 * `crc` is where the CRC-32 of all bytes is that were flushed to the file. Write errors stay in the stream. */
void trailer_write(FILE *file, network *net, int with_optimiser, const uint32_t *crc);

/* Finds the trailer of a file of `size` bytes; trailer_check says whether it is good. Moves the position in the file.
 */
trailer trailer_find(FILE *file, long long size);

/* Checks the whole file against what trailer_find has found, reading it once from the beginning. Returns NULL if it is
 * good, or has neither trailer nor mark; otherwise what is wrong, in static storage, as the end of a sentence that
 * begins with the file's name. Moves the position in the file. */
const char *trailer_check(FILE *file, long long size, const trailer *found);

/* Reads the state of the optimiser into the network, if the trailer, which is good, has one. Returns 0, or -1 if it is
 * that of another network. */
int trailer_read_optimiser(FILE *file, const trailer *found, network *net);

#endif
