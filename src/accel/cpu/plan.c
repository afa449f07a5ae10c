/* Creates a plan (layer_plan.h): chooses which layers run in the blocked layout, and replaces their functions. This
 * happens in the first pass of a network, and again after the network's size, batch or mode (training or inference) has
 * changed. */
#include "accel/cpu/accel_cpu.h"

#ifdef ONEDNN

#include "accel/cpu/blocked_layers.h"
#include "accel/cpu/blocked_layout.h"
#include "accel/cpu/layer_plan.h"
#include "accel/cpu/onednn_convolution.h"
#include "accel/cpu/piecewise_linear.h"
#include "accel/cpu/vectorized_sgd.h"
#include "base/error.h"
#include "base/memory.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* ---- Types of layers that a plan has functions for --------------------------------------------------------------- */

/* can_run of each type: whether its functions can run layer k, with its output blocked or in Darknet's layout. */

static int can_run_convolution(const network *net, int k, int output_blocked)
{
    return can_plan_convolution(net->layers[k], output_blocked, net->train);
}

static int can_run_shortcut(const network *net, int k, int output_blocked)
{
    layer l = net->layers[k];
    if (!output_blocked || k == 0 || l.index == k - 1 || !is_piecewise_linear(l.activation)) return 0;
    if (l.w / l.out_w != l.h / l.out_h || l.out_w / l.w != l.out_h / l.h) return 0;
    /* Darknet multiplies the first input by alpha only where the two inputs overlap. */
    return l.alpha == 1 || (l.w == l.out_w && l.h == l.out_h && l.c == l.out_c);
}

static int can_run_route(const network *net, int k, int output_blocked)
{
    layer l = net->layers[k];
    int i;
    if (!output_blocked || l.n > MAX_GRADIENTS) return 0;
    for (i = 0; i + 1 < l.n; ++i)
        if (net->layers[l.input_layers[i]].out_c % channels_per_block()) return 0;
    return 1;
}

static int can_run_upsample_or_maxpool(const network *net, int k, int output_blocked)
{
    (void)net;
    return output_blocked && k > 0;
}

static int can_run_avgpool(const network *net, int k, int output_blocked)
{
    (void)net, (void)k;
    return !output_blocked;
}

/* The layout of the inputs that a type supports: any, only blocked, or that of its output. */
typedef enum { ANY_LAYOUT, BLOCKED_LAYOUT, LAYOUT_OF_OUTPUT } input_layout;

typedef struct {
    LAYER_TYPE type;
    input_layout reads;
    int (*can_run)(const network *net, int k, int output_blocked);
    void (*forward)(layer, network);
    void (*backward)(layer, network);
} layer_functions;

static const layer_functions known_types[] = {
    {CONVOLUTIONAL, ANY_LAYOUT, can_run_convolution, forward_planned_convolution, backward_planned_convolution},
    {SHORTCUT, LAYOUT_OF_OUTPUT, can_run_shortcut, forward_blocked_shortcut, backward_blocked_shortcut},
    {ROUTE, LAYOUT_OF_OUTPUT, can_run_route, forward_blocked_route, backward_blocked_route},
    {UPSAMPLE, LAYOUT_OF_OUTPUT, can_run_upsample_or_maxpool, forward_blocked_upsample, backward_blocked_upsample},
    {MAXPOOL, LAYOUT_OF_OUTPUT, can_run_upsample_or_maxpool, forward_blocked_maxpool, backward_blocked_maxpool},
    {AVGPOOL, BLOCKED_LAYOUT, can_run_avgpool, forward_blocked_avgpool, backward_blocked_avgpool},
};

/* Returns NULL for a type that src/accel has no functions for. */
static const layer_functions *functions_of(LAYER_TYPE type)
{
    size_t i;
    for (i = 0; i < sizeof known_types / sizeof known_types[0]; ++i)
        if (known_types[i].type == type) return &known_types[i];
    return 0;
}

static int can_run(const network *net, int k, int output_blocked)
{
    const layer_functions *functions = functions_of(net->layers[k].type);
    return functions && functions->can_run(net, k, output_blocked);
}

/* ---- Layouts ----------------------------------------------------------------------------------------------------- */

/* Index of the i-th layer that layer k reads, in the order of layer_plan.first_writer_mask; -1 if it reads fewer. */
static int input_of(const network *net, int k, int i)
{
    layer l = net->layers[k];
    if (l.type == ROUTE) return i < l.n ? l.input_layers[i] : -1;
    if (i == 0 && k > 0) return k - 1;
    if (i == 1 && (l.type == SHORTCUT || l.type == SCALE_CHANNELS)) return l.index;
    return -1;
}

/* Whether the output of layer k can be blocked, without regard to the layers that read it. */
static int can_be_blocked(const network *net, int k)
{
    layer l = net->layers[k];
    if (!l.output || l.truth || l.onlyforward || l.reverse || l.out_w < 1 || l.out_h < 1 || l.out_c < 1) return 0;
    if (blocked_floats(l.batch, l.out_c, l.out_h, l.out_w) > INT_MAX) return 0;
    return can_run(net, k, 1);
}

/* Starts with all layers blocked that can be. Then removes those that are read by a layer that does not support it, and
 * those that need the layout of an input that is not blocked, until nothing changes. */
static void choose_layouts(const network *net, layer_plan *plan)
{
    int changed = 1, k, i, from;
    for (k = 0; k < net->n; ++k) plan[k].blocked = k + 1 < net->n && can_be_blocked(net, k);
    while (changed) {
        changed = 0;
        for (k = 0; k < net->n; ++k)
            for (i = 0; (from = input_of(net, k, i)) >= 0; ++i) {
                if (plan[from].blocked && !can_run(net, k, plan[k].blocked)) plan[from].blocked = 0, changed = 1;
                if (!plan[from].blocked && plan[k].blocked &&
                    functions_of(net->layers[k].type)->reads == LAYOUT_OF_OUTPUT)
                    plan[k].blocked = 0, changed = 1;
            }
    }
    for (k = 1; k < net->n; ++k) plan[k].input_blocked = plan[k - 1].blocked;
}

/* ---- Functions of the layers ------------------------------------------------------------------------------------- */

/* Used as l.backward in inference, where the values that a backward pass needs are not stored. */
static void refuse_backward(layer l, network net)
{
    (void)l, (void)net;
    die("a backward pass after a prediction: set net->train, or net->delta, before the forward pass");
}

static void replace_functions(const network *net, layer_plan *plan, int k)
{
    layer *l = &net->layers[k];
    const layer_functions *functions = functions_of(l->type);
    plan->forward = l->forward;
    plan->backward = l->backward;
    plan->update = l->update;
    plan->replaced = can_run(net, k, plan->blocked) && (functions->reads != BLOCKED_LAYOUT || plan->input_blocked);
    if (plan->replaced) {
        l->forward = functions->forward;
        l->backward = net->train ? functions->backward : refuse_backward;
    }
    if ((l->type == CONVOLUTIONAL || l->type == CONNECTED) && l->update && !net->adam) l->update = update_by_sgd;
}

/* Finds the first writer of every gradient: a backward pass runs from the last layer to the first. */
static void find_first_writers(const network *net, layer_plan *plan)
{
    char *written = (char *)xcalloc(net->n + 1, 1);
    int k, i, from;
    for (k = net->n - 1; k >= 0; --k)
        for (i = 0; (from = input_of(net, k, i)) >= 0; ++i) {
            /* [dropout] works in place on the tensors of the layer before it */
            while (from > 0 && net->layers[from].type == DROPOUT) --from;
            /* a loss layer has already written its gradient in the forward pass */
            if (!written[from] && plan[k].replaced && !net->layers[from].cost) {
                plan[k].first_writer_mask |= 1u << i;
                plan[from].has_first_writer = 1;
            }
            written[from] = 1;
        }
    free(written);
}

/* ---- Memory of the layers ---------------------------------------------------------------------------------------- */

/* Enlarges an array of Darknet's to `floats` floats; the new ones are zeros. */
static void grow(float **x, size_t floats)
{
    size_t old_bytes = *x ? malloc_usable_size(*x) : 0;
    if (!*x || old_bytes >= floats * sizeof(float)) return;
    *x = (float *)xrealloc(*x, floats * sizeof(float));
    memset((char *)*x + old_bytes, 0, floats * sizeof(float) - old_bytes);
}

/* Makes room for the padding channels, which Darknet has not allocated. */
static void make_room(layer *l)
{
    size_t floats = blocked_floats(l->batch, l->out_c, l->out_h, l->out_w);
    if (l->out_c % channels_per_block() == 0) return;
    grow(&l->output, floats);
    grow(&l->delta, floats);
    grow(&l->x, floats);
    if (l->type == MAXPOOL) grow((float **)&l->indexes, floats);
}

/* ---- A network's plan, as accel_cpu.h has it --------------------------------------------------------------------- */

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
    return (struct accel_plan *)xcalloc(1, sizeof(struct accel_plan));
}

void accel_free_plan(network *net)
{
    accel_end_plan(net);
    free(net->accel);
    net->accel = 0;
}

/* Whether the plan fits the network's current state. */
static int is_current(const struct accel_plan *p, const network *net)
{
    return p->n == net->n && p->batch == net->batch && p->w == net->w && p->h == net->h && p->train == net->train;
}

void accel_plan(network *net)
{
    struct accel_plan *p = net->accel;
    int k;
    /* The command `nightmare` computes the gradient of the image with net->train = 0: a backward pass with the
     * statistics of inference, which the functions of a plan do not support. */
    if (!allowed || (!net->train && net->delta)) {
        accel_end_plan(net);
        return;
    }
    if (!p || is_current(p, net)) return;
    accel_end_plan(net);
    p->layers = (layer_plan *)xcalloc(net->n + 1, sizeof *p->layers);
    p->n = net->n, p->batch = net->batch, p->w = net->w, p->h = net->h, p->train = net->train;
    choose_layouts(net, p->layers);
    for (k = 0; k < net->n; ++k) {
        replace_functions(net, &p->layers[k], k);
        if (p->layers[k].blocked) make_room(&net->layers[k]);
    }
    find_first_writers(net, p->layers);
}

int accel_overwrites_delta(network net)
{
    return net.accel && net.accel->n && (!net.train || net.accel->layers[net.index].has_first_writer);
}

#endif
