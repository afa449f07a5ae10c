/* policy=cosine: the learning rate falls along half a cosine. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "darknet.h"
#include "list.h"

/* Reads `learning_rate_min` of [net] (0 to learning_rate; default 0) into net->lowest_rate, as a part of learning_rate:
 * the trainers multiply that by the number of GPUs. Call when learning_rate, burn_in and max_batches are read. A value
 * out of range, or a max_batches that is not behind burn_in, ends the program with one line. */
void parse_cosine(list *options, network *net);

/* The learning rate of iteration `batch` (Loshchilov and Hutter 2017, eq. 5, without restarts):
 *
 *     low + (high - low) (1 + cos(pi t)) / 2,   t = (batch - burn_in) / (max_batches - burn_in), 0 to 1
 *
 * high = net->learning_rate at the end of burn_in, low = high * net->lowest_rate at max_batches and behind it. */
float cosine_rate(const network *net, size_t batch);

#endif
