/* Making a plan (plan.h): which layers run in the blocked layout. It is made with the first pass of a network, and
 * again when the network's size, batch or use has changed. */
#include "accel/cpu/plan.h"

#include "base/error.h"
#ifdef ONEDNN

#include "accel/cpu/accel_cpu.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Layers that keep the layout of what they read; convolutions and [avgpool] can change it. */
static int keeps_layout(LAYER_TYPE type)
{
    return type == SHORTCUT || type == ROUTE || type == UPSAMPLE || type == MAXPOOL;
}

/* The i-th layer that layer k of the network reads, in the order of layer_plan.overwrites; -1: none left. */
static int reads(const network *net, int k, int i)
{
    layer l = net->layers[k];
    if (l.type == ROUTE) return i < l.n ? l.input_layers[i] : -1;
    if (i == 0 && k > 0) return k - 1;
    if (i == 1 && l.type == SHORTCUT) return l.index;
    return -1;
}

static int is_blockable(const network *net, int k)
{
    layer l = net->layers[k];
    int block = accel_block(), i;
    if (!l.output || l.truth || l.onlyforward || l.reverse || l.out_w < 1 || l.out_h < 1 || l.out_c < 1) return 0;
    if (blocked_floats(l.batch, l.out_c, l.out_h, l.out_w) > INT_MAX) return 0;
    switch (l.type) {
    case CONVOLUTIONAL:
        return can_plan_convolution(l, 1, net->train);
    case SHORTCUT: /* Darknet scales its first input by alpha on the common part alone */
        return has_pieces(l.activation) && l.index != k - 1 && k > 0 && l.w / l.out_w == l.h / l.out_h &&
               l.out_w / l.w == l.out_h / l.h && (l.alpha == 1 || (l.w == l.out_w && l.h == l.out_h && l.c == l.out_c));
    case ROUTE:
        if (l.n > 32) return 0; /* bits of layer_plan.overwrites */
        for (i = 0; i + 1 < l.n; ++i)
            if (net->layers[l.input_layers[i]].out_c % block) return 0;
        return 1;
    case UPSAMPLE:
    case MAXPOOL:
        return k > 0;
    default:
        return 0;
    }
}

/* Layer k can read blocked layers, given its own layout. */
static int reads_blocked(const network *net, int k, int blocked)
{
    layer l = net->layers[k];
    if (l.type == CONVOLUTIONAL) return can_plan_convolution(l, blocked, net->train);
    return l.type == AVGPOOL || (keeps_layout(l.type) && blocked);
}

/* Which layers are blocked: as many as can be, less those with a reader that cannot read it, and those that keep the
 * layout of others that are not. */
static void choose_layouts(const network *net, layer_plan *plan)
{
    int changed = 1, k, i, from;
    for (k = 0; k < net->n; ++k) plan[k].blocked = k + 1 < net->n && is_blockable(net, k);
    while (changed) {
        changed = 0;
        for (k = 0; k < net->n; ++k)
            for (i = 0; (from = reads(net, k, i)) >= 0; ++i) {
                if (plan[from].blocked && !reads_blocked(net, k, plan[k].blocked)) plan[from].blocked = 0, changed = 1;
                if (!plan[from].blocked && plan[k].blocked && keeps_layout(net->layers[k].type))
                    plan[k].blocked = 0, changed = 1;
            }
    }
    for (k = 1; k < net->n; ++k) plan[k].input_blocked = plan[k - 1].blocked;
}

/* What a backward pass needs is not kept while predicting. */
static void refuse_backward(layer l, network net)
{
    (void)l, (void)net;
    die("a backward pass after a prediction: set net->train, or net->delta, before the forward pass");
}

static void take_over(const network *net, layer_plan *plan, int k)
{
    layer *l = &net->layers[k];
    plan->forward = l->forward;
    plan->backward = l->backward;
    plan->update = l->update;
    plan->ours = plan->blocked;
    if (l->type == CONVOLUTIONAL && can_plan_convolution(*l, plan->blocked, net->train)) {
        plan->ours = 1;
        l->forward = forward_planned_convolution;
        l->backward = backward_planned_convolution;
    } else if (l->type == AVGPOOL && plan->input_blocked) {
        plan->ours = 1;
        l->forward = forward_blocked_avgpool;
        l->backward = backward_blocked_avgpool;
    } else if (plan->blocked) {
        l->forward = l->type == SHORTCUT   ? forward_blocked_shortcut
                     : l->type == ROUTE    ? forward_blocked_route
                     : l->type == UPSAMPLE ? forward_blocked_upsample
                                           : forward_blocked_maxpool;
        l->backward = l->type == SHORTCUT   ? backward_blocked_shortcut
                      : l->type == ROUTE    ? backward_blocked_route
                      : l->type == UPSAMPLE ? backward_blocked_upsample
                                            : backward_blocked_maxpool;
    }
    if (plan->ours && !net->train) l->backward = refuse_backward;
    if ((l->type == CONVOLUTIONAL || l->type == CONNECTED) && l->update && !net->adam) l->update = update_by_sgd;
}

/* A backward pass runs from the last layer to the first; the first to write to a gradient overwrites what was there. */
static void choose_overwriting(const network *net, layer_plan *plan)
{
    char *written = (char *)calloc(net->n + 1, 1);
    int k, i, from;
    for (k = net->n - 1; k >= 0 && written; --k)
        for (i = 0; (from = reads(net, k, i)) >= 0; ++i) {
            /* [dropout] works on the tensors of the layer before it */
            while (from > 0 && net->layers[from].type == DROPOUT) --from;
            /* a loss has written to its gradient in the forward pass */
            if (!written[from] && plan[k].ours && !net->layers[from].cost) {
                plan[k].overwrites |= 1u << i;
                plan[from].overwritten = 1;
            }
            written[from] = 1;
        }
    free(written);
}

/* Room for `floats` that Darknet allocated for fewer; the new ones are zeros. */
static void grow(float **x, size_t floats)
{
    size_t had = *x ? malloc_usable_size(*x) : 0;
    float *grown;
    if (!*x || had >= floats * sizeof(float)) return;
    grown = (float *)realloc(*x, floats * sizeof(float));
    if (!grown) die("out of memory for a layer's output");
    memset((char *)grown + had, 0, floats * sizeof(float) - had);
    *x = grown;
}

/* Channels that do not fill the last block take more room than Darknet gave them. */
static void make_room(layer *l)
{
    size_t floats = blocked_floats(l->batch, l->out_c, l->out_h, l->out_w);
    if (l->out_c % accel_block() == 0) return;
    grow(&l->output, floats);
    grow(&l->delta, floats);
    grow(&l->x, floats);
    if (l->type == MAXPOOL) grow((float **)&l->indexes, floats);
}

static int allowed = 1;

void accel_allow_plans(int allow)
{
    allowed = allow;
}

void accel_end_plan(network *net)
{
    struct accel_plan *p = net->accel;
    int k;
    if (!p) return;
    for (k = 0; k < p->n; ++k) {
        net->layers[k].forward = p->layers[k].forward;
        net->layers[k].backward = p->layers[k].backward;
        net->layers[k].update = p->layers[k].update;
    }
    free(p->layers);
    memset(p, 0, sizeof *p);
    forget_convolutions();
}

struct accel_plan *accel_new_plan(void)
{
    return (struct accel_plan *)calloc(1, sizeof(struct accel_plan));
}

void accel_free_plan(network *net)
{
    accel_end_plan(net);
    free(net->accel);
    net->accel = 0;
}

void accel_plan(network *net)
{
    struct accel_plan *p = net->accel;
    int k;
    if (!allowed ||
        (!net->train && net->delta)) { /* `nightmare`: a backward pass follows, with the statistics of inference */
        accel_end_plan(net);
        return;
    }
    if (!p || (p->n == net->n && p->batch == net->batch && p->w == net->w && p->h == net->h && p->train == net->train))
        return;
    accel_end_plan(net);
    p->layers = (layer_plan *)calloc(net->n + 1, sizeof *p->layers);
    if (!p->layers) die("out of memory");
    p->n = net->n, p->batch = net->batch, p->w = net->w, p->h = net->h, p->train = net->train;
    choose_layouts(net, p->layers);
    for (k = 0; k < net->n; ++k) {
        take_over(net, &p->layers[k], k);
        if (p->layers[k].blocked) make_room(&net->layers[k]);
    }
    choose_overwriting(net, p->layers);
}

int accel_overwrites_delta(network net)
{
    return net.accel && net.accel->n && (!net.train || net.accel->layers[net.index].overwritten);
}

#endif
