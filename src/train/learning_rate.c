/* The learning rate of policy=cosine. */
#include "train/learning_rate.h"

#include "base/error.h"
#include "base/numbers.h"
#include "option_list.h"

#include <float.h>
#include <math.h>

void parse_cosine(list *options, network *net)
{
    const char *text = option_find_str(options, "learning_rate_min", 0);
    double min = 0;
    /* compared as floats, because learning_rate is one: equal texts must give equal numbers */
    if (text && (parse_number(text, 0, FLT_MAX, &min) || (float)min > net->learning_rate))
        die("[net]: learning_rate_min=%s is not valid: must be a number from 0 to learning_rate (%g)", text,
            net->learning_rate);
    if (net->max_batches <= net->burn_in)
        die("[net]: max_batches=%d is not valid: with policy=cosine it must be above burn_in (%d)", net->max_batches,
            net->burn_in);
    net->min_lr_ratio = net->learning_rate > 0 ? (float)(min / net->learning_rate) : 0;
}

float cosine_rate(const network *net, size_t batch)
{
    const double pi = 3.14159265358979323846;
    const double high = net->learning_rate, low = high * net->min_lr_ratio;
    double t = ((double)batch - net->burn_in) / (net->max_batches - (double)net->burn_in);
    if (t > 1) t = 1;
    return (float)(low + (high - low) * (1 + cos(pi * t)) / 2);
}

static int count_items(const char *text)
{
    int count = 1;
    for (; *text; ++text) count += *text == ',';
    return count;
}

void refuse_more_steps(const char *steps, const char *scales)
{
    if (count_items(steps) > count_items(scales))
        die("[net]: steps=%s has %d numbers, but scales=%s has %d: must be as many", steps, count_items(steps), scales,
            count_items(scales));
}
