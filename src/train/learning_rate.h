/* policy=cosine: the learning rate falls along half a cosine. And a guard for policy=steps. */
#ifndef LEARNING_RATE_H
#define LEARNING_RATE_H

#include "darknet.h"
#include "list.h"

/* Reads `learning_rate_min` of [net] (0 to learning_rate; default 0) and sets net->min_lr_ratio to learning_rate_min /
 * learning_rate. It is a ratio, because the trainers later multiply learning_rate by the number of GPUs. Called in
 * parser.c after learning_rate, burn_in and max_batches are read. Ends the program with one line if a value is out of
 * range or max_batches is not above burn_in. */
void parse_cosine(list *options, network *net);

/* Ends the program with one line where `steps` has more numbers than `scales` (the values of [net], not NULL): Darknet
 * reads as many of both. */
void refuse_more_steps(const char *steps, const char *scales);

/* The learning rate of iteration `batch`, from burn_in on (Loshchilov and Hutter 2017, eq. 5, without restarts):
 *
 *     low + (high - low) (1 + cos(pi t)) / 2,   t = (batch - burn_in) / (max_batches - burn_in), 0 to 1
 *
 * high = net->learning_rate, the rate at the end of burn_in; low = high * net->min_lr_ratio, the rate at max_batches
 * and after it. */
float cosine_rate(const network *net, size_t batch);

#endif
