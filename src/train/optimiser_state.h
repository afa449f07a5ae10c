/* The state of the optimiser between two iterations, in the trailer of a checkpoint: the momentum of every trained
 * array (Darknet's weight_updates, bias_updates, scale_updates), and with adam=1 both moments of those that Adam
 * trains.
 *
 * Each array is written as its length, u64, and its values, f32; as the length 0 alone where all of them are 0. They
 * follow each other in the order of layer_weight_arrays, momentum before moments; layers with dontsave=1 have none, as
 * they have no weights in the file.
 *
 * Darknet sums gradients over the images of an update, and divides the step by their number. A training that goes on
 * with another batch= therefore takes the momentum times the ratio of new and old batch, and the second moments times
 * its square.
 *
 * A GPU takes Adam's steps, after which the momentum is 0; on the CPU, Darknet takes those of SGD with momentum
 * whatever adam= says, and the moments are 0. What nesterov=1 keeps is the momentum once more (nesterov.h).
 */
#ifndef OPTIMISER_STATE_H
#define OPTIMISER_STATE_H

#include "darknet.h"

#include <stdint.h>
#include <stdio.h>

/* The number of arrays. */
uint32_t optimiser_count(network *net);

/* Writes them all, after fetching them from the network's GPU. Returns how many bytes that are. Write
 * errors stay in the stream. */
uint64_t optimiser_write(network *net, FILE *file);

/* Reads `arrays` of them, of updates of `batch` images, into the network, and onto its GPU. Where Adam's moments are 0,
 * its count of updates (net->t) becomes 0 as well. Returns 0, or -1 if they do
 * not have the lengths of the network's, or end too soon; the network's state is then partly overwritten. */
int optimiser_read(network *net, uint32_t arrays, uint32_t batch, FILE *file);

#endif
