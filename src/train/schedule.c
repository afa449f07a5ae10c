#include "train/schedule.h"

#include "base/error.h"
#include "option_list.h"
#include "layers/label_smoothing.h"

#include <math.h>
#include <stdlib.h>

void parse_cosine(list *options, network *net)
{
    char *text = option_find_str(options, "learning_rate_min", 0), *end = 0;
    double lowest = text ? strtod(text, &end) : 0;
    if (text && (end == text || *end || !(lowest >= 0 && (float)lowest <= net->learning_rate)))
        die("[net]: learning_rate_min=%s is not valid: must be a number from 0 to learning_rate (%g)", text,
            net->learning_rate);
    if (net->max_batches <= net->burn_in)
        die("[net]: max_batches=%d is not valid: with policy=cosine it must be above burn_in (%d)", net->max_batches,
            net->burn_in);
    net->lowest_rate = net->learning_rate > 0 ? (float)(lowest / net->learning_rate) : 0;
}

float cosine_rate(const network *net, size_t batch)
{
    const double pi = 3.14159265358979323846;
    const double high = net->learning_rate, low = high * net->lowest_rate;
    double t = ((double)batch - net->burn_in) / (net->max_batches - (double)net->burn_in);
    if (t > 1) t = 1;
    return (float)(low + (high - low) * (1 + cos(pi * t)) / 2);
}
