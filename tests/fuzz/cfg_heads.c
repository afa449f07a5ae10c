/* The lines of a head in a cfg, by Darknet's own parser and ours: by the first byte those of [yolo], [region],
 * [detection] or [ols]. The network is made, and its head has soft labels of as many classes as it says, or the program
 * ends with one line and status 1. */
#include "fuzz.h"

#include "layers/class_head.h"
#include "train/cfg_keys.h"

#include "darknet.h"

#include <string.h>

static const char *const before[] = {
    "[net]\nbatch=1\nwidth=4\nheight=4\nchannels=3\n[convolutional]\nfilters=7\nsize=1\nactivation=linear\n[yolo]\n",
    "[net]\nbatch=1\nwidth=4\nheight=4\nchannels=3\n[convolutional]\nfilters=7\nsize=1\nactivation=linear\n[region]\n",
    "[net]\nbatch=1\nwidth=4\nheight=4\nchannels=3\n[connected]\noutput=28\nactivation=linear\n[detection]\n",
    "[net]\nbatch=1\nwidth=4\nheight=4\nchannels=3\n[connected]\noutput=3\nactivation=linear\n[ols]\n",
};

static void make_network_of(void *context)
{
    network *net = parse_network_cfg((char *)context);
    const layer *l = net->layers + net->n - 1;
    if (l->label_smoothing && l->label_smoothing->state) MUST(l->label_smoothing->state->classes == l->classes);
    MUST(l->outputs == l->inputs && l->outputs == net->layers[net->n - 2].outputs);
}

static void forget_keys(void *context)
{
    (void)context;
    report_unused_keys();
}

/* Sizes so large that Darknet's layers ask for more memory than there is, before anything looks at them. */
static int has_long_number(const char *text)
{
    int digits = 0;
    for (; *text; ++text) {
        digits = *text >= '0' && *text <= '9' ? digits + 1 : 0;
        if (digits > 3) return 1;
    }
    return 0;
}

void fuzz(const uint8_t *data, size_t size)
{
    const char *start = before[size ? *data % 4 : 0];
    char *lines = fuzz_text(data + (size > 0), size - (size > 0)), cfg[8192];
    const int length = snprintf(cfg, sizeof cfg, "%s%s\n", start, lines);
    if (length < (int)sizeof cfg && !has_long_number(lines) && !strchr(lines, '[')) { /* no other layers */
        if (!fuzz_survives(make_network_of, (void *)fuzz_file((uint8_t *)cfg, (size_t)length)))
            fuzz_survives(forget_keys, 0);
        fuzz_forget();
    }
    free(lines);
}
