/* Convolutions through oneDNN 2.x (C API).
 *
 * One set of primitives per shape and layout, made when it is first asked for and kept: layers of one shape share it,
 * and a resized network finds its old shapes again. oneDNN chooses the layout it is fastest with; where that is not the
 * one that the tensors are in, operands are reordered through one scratch buffer that all shapes share, and that is
 * also the primitives' own scratchpad.
 */
#include "accel/cpu/accel_cpu.h"

#ifdef ONEDNN

#include "blas.h"
#include "accel/cpu/plan.h"

#include <dnnl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In inference the bias, batch normalisation and the activation are part of the convolution. */
typedef enum { TRAINING, TRAINING_WITH_BIAS, INFERENCE } purpose;

/* What identifies a set of primitives. */
typedef struct {
    int batch, c, h, w, n, groups, size, stride, pad, out_h, out_w;
    int input_blocked, blocked; /* layouts of input and output, and of their gradients */
    purpose purpose;
    ACTIVATION activation; /* of INFERENCE; otherwise LINEAR */
} shape;

/* One operand of a primitive: its layout there, and how to get it there from where it is, or back. */
typedef struct {
    dnnl_memory_t inner;      /* in the primitive's layout; its bytes are scratch unless direct */
    dnnl_memory_t outer;      /* in the layout of the tensor; its bytes are the tensor's */
    dnnl_primitive_t reorder; /* NULL: direct, inner can use the tensor's bytes */
    dnnl_primitive_t add;     /* of a result that is reordered: the same, but adds to what is there */
    size_t bytes;             /* of inner */
    size_t floats;            /* of the tensor, blocks filled up */
} operand;

typedef struct {
    dnnl_primitive_t primitive;      /* NULL: not made yet */
    operand source, weights, result; /* backward: (delta, weights, net.delta) or (input, delta, weight_updates) */
    dnnl_memory_t scratchpad, bias;
    size_t scratchpad_bytes;
    int arguments[3];
} step;

typedef struct convolution {
    shape key;
    int failed; /* oneDNN declines the shape */
    dnnl_primitive_desc_t hint;
    step forward, by_input, by_weights;
    struct convolution *next;
} convolution;

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static convolution *known;
static int number_known;
enum { MOST_KNOWN = 1000 }; /* a large network at ten sizes, in training and in use */
static char *scratch;
static size_t scratch_size;
/* Networks on several threads would share the scratch buffer. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        if ((call) != dnnl_success) return -1;                                                                         \
    } while (0)

int accel_block(void)
{
    static int block;
    /* the values are sets of bits, and do not rise with what a processor can do */
    if (!block) block = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core ? 16 : 8;
    return block;
}

size_t blocked_floats(int batch, int c, int h, int w)
{
    int block = accel_block();
    return (size_t)batch * ((c + block - 1) / block * block) * h * w;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* ---- Making primitives ------------------------------------------------------------------------------------------- */

static int make_reorder(dnnl_primitive_t *reorder, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                        int add)
{
    dnnl_primitive_desc_t description;
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t sum;
    dnnl_status_t status;
    TRY(dnnl_primitive_attr_create(&attributes));
    TRY(dnnl_post_ops_create(&sum));
    if (add) TRY(dnnl_post_ops_append_sum(sum, 1));
    TRY(dnnl_primitive_attr_set_post_ops(attributes, sum));
    status = dnnl_reorder_primitive_desc_create(&description, from, engine, to, engine, attributes);
    dnnl_post_ops_destroy(sum);
    dnnl_primitive_attr_destroy(attributes);
    TRY(status);
    TRY(dnnl_primitive_create(reorder, description));
    dnnl_primitive_desc_destroy(description);
    return 0;
}

static int make_operand(operand *o, const dnnl_memory_desc_t *outer, const dnnl_memory_desc_t *inner, int is_result)
{
    o->bytes = aligned(dnnl_memory_desc_get_size(inner));
    o->floats = dnnl_memory_desc_get_size(outer) / sizeof(float);
    TRY(dnnl_memory_create(&o->outer, outer, engine, DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&o->inner, inner, engine, DNNL_MEMORY_NONE));
    if (dnnl_memory_desc_equal(outer, inner)) return 0;
    if (is_result) return make_reorder(&o->reorder, inner, outer, 0) || make_reorder(&o->add, inner, outer, 1);
    return make_reorder(&o->reorder, outer, inner, 0);
}

typedef struct {
    dnnl_memory_desc_t input, weights, output, bias;
} layouts;

/* Layouts as the tensors have them; as a primitive is asked to take them where tensors are blocked, and free to choose
 * where they are not; and free to choose everywhere. Left free, oneDNN may prefer a layout of its own by a little, and
 * reordering costs much. */
typedef enum { OF_TENSORS, KEEP_BLOCKED, FREE } freedom;

static dnnl_format_tag_t activation_layout(int blocked)
{
    return !blocked ? dnnl_nchw : accel_block() == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

static int describe(const shape *k, freedom f, layouts *d)
{
    dnnl_dims_t input = {k->batch, k->c, k->h, k->w};
    dnnl_dims_t output = {k->batch, k->n, k->out_h, k->out_w};
    dnnl_dims_t grouped = {k->groups, k->n / k->groups, k->c / k->groups, k->size, k->size};
    dnnl_dims_t plain = {k->n, k->c, k->size, k->size};
    dnnl_dims_t bias = {k->n};
    int keep_input = f == OF_TENSORS || (f == KEEP_BLOCKED && k->input_blocked);
    int keep_output = f == OF_TENSORS || (f == KEEP_BLOCKED && k->blocked);
    dnnl_format_tag_t weights = f != OF_TENSORS ? dnnl_format_tag_any : k->groups > 1 ? dnnl_goihw : dnnl_oihw;
    TRY(dnnl_memory_desc_init_by_tag(&d->input, 4, input, dnnl_f32,
                                     keep_input ? activation_layout(k->input_blocked) : dnnl_format_tag_any));
    TRY(dnnl_memory_desc_init_by_tag(&d->output, 4, output, dnnl_f32,
                                     keep_output ? activation_layout(k->blocked) : dnnl_format_tag_any));
    TRY(dnnl_memory_desc_init_by_tag(&d->weights, k->groups > 1 ? 5 : 4, k->groups > 1 ? grouped : plain, dnnl_f32,
                                     weights));
    TRY(dnnl_memory_desc_init_by_tag(&d->bias, 1, bias, dnnl_f32, dnnl_x));
    return 0;
}

static const dnnl_memory_desc_t *layout_of(dnnl_primitive_desc_t description, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(description, what, 0);
}

/* Darknet rounds the output down; oneDNN wants to hear of the rows and columns that are left over. */
static void pad_of(const shape *k, dnnl_dims_t strides, dnnl_dims_t pad, dnnl_dims_t pad_right)
{
    strides[0] = strides[1] = k->stride;
    pad[0] = pad[1] = k->pad;
    pad_right[0] = (k->out_h - 1) * k->stride + k->size - k->h - k->pad;
    pad_right[1] = (k->out_w - 1) * k->stride + k->size - k->w - k->pad;
}

/* Attributes of every primitive: scratchpads are ours, so that there is one for all. */
static int make_attributes(dnnl_primitive_attr_t *attributes, const shape *k)
{
    const pieces p = pieces_of(k->activation);
    TRY(dnnl_primitive_attr_create(attributes));
    TRY(dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user));
    if (p.slope != 1) {
        dnnl_post_ops_t activation;
        TRY(dnnl_post_ops_create(&activation));
        /* A network that has diverged must show it. But oneDNN's clip turns NaN into its lower bound, so that is -inf;
         * and a slope of 0 would turn NaN and -inf into 0. */
        if (p.ceiling < HUGE_VALF)
            TRY(dnnl_post_ops_append_eltwise(activation, 1, dnnl_eltwise_clip, -HUGE_VALF, p.ceiling));
        TRY(dnnl_post_ops_append_eltwise(activation, 1, dnnl_eltwise_relu, p.slope > 0 ? p.slope : 1e-30f, 0));
        TRY(dnnl_primitive_attr_set_post_ops(*attributes, activation));
        dnnl_post_ops_destroy(activation);
    }
    return 0;
}

static int finish_step(step *s, dnnl_primitive_desc_t description, int source, int weights, int result)
{
    const dnnl_memory_desc_t *scratchpad = layout_of(description, dnnl_query_scratchpad_md);
    TRY(dnnl_primitive_create(&s->primitive, description));
    s->scratchpad_bytes = aligned(dnnl_memory_desc_get_size(scratchpad));
    TRY(dnnl_memory_create(&s->scratchpad, scratchpad, engine, DNNL_MEMORY_NONE));
    s->arguments[0] = source;
    s->arguments[1] = weights;
    s->arguments[2] = result;
    return 0;
}

typedef enum { FORWARD, BY_INPUT, BY_WEIGHTS } pass;

static int describe_pass(const convolution *conv, pass what, freedom f, dnnl_convolution_desc_t *description)
{
    const shape *k = &conv->key;
    dnnl_dims_t strides, pad, pad_right;
    layouts d;
    pad_of(k, strides, pad, pad_right);
    if (describe(k, f, &d)) return -1;
    switch (what) {
    case FORWARD:
        TRY(dnnl_convolution_forward_desc_init(
            description, k->purpose == INFERENCE ? dnnl_forward_inference : dnnl_forward_training,
            dnnl_convolution_direct, &d.input, &d.weights, k->purpose == TRAINING ? 0 : &d.bias, &d.output, strides,
            pad, pad_right));
        break;
    case BY_INPUT:
        TRY(dnnl_convolution_backward_data_desc_init(description, dnnl_convolution_direct, &d.input, &d.weights,
                                                     &d.output, strides, pad, pad_right));
        break;
    case BY_WEIGHTS:
        TRY(dnnl_convolution_backward_weights_desc_init(description, dnnl_convolution_direct, &d.input, &d.weights, 0,
                                                        &d.output, strides, pad, pad_right));
    }
    return 0;
}

/* oneDNN's reference code is there for every shape and layout, and slower than Darknet's. */
static int is_slow(dnnl_primitive_desc_t description)
{
    const char *name = "";
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name);
    return !strncmp(name, "ref", 3);
}

/* oneDNN's choice of an algorithm and layouts for one of the passes; fails where it has none. */
static int choose(const convolution *conv, pass what, dnnl_primitive_desc_t *chosen)
{
    dnnl_primitive_attr_t attributes;
    int f, found = 0;
    if (make_attributes(&attributes, &conv->key)) return -1;
    for (f = KEEP_BLOCKED; f <= FREE && !found; ++f) {
        dnnl_convolution_desc_t description;
        if (describe_pass(conv, what, (freedom)f, &description) ||
            dnnl_primitive_desc_create(chosen, &description, attributes, engine, what == FORWARD ? 0 : conv->hint) !=
                dnnl_success)
            continue;
        found = !is_slow(*chosen);
        if (!found) {
            dnnl_primitive_desc_destroy(*chosen);
            *chosen = 0;
        }
    }
    dnnl_primitive_attr_destroy(attributes);
    return found ? 0 : -1;
}

static int make_forward(convolution *conv)
{
    layouts mine;
    if (describe(&conv->key, OF_TENSORS, &mine)) return -1;
    if (conv->key.purpose != TRAINING)
        TRY(dnnl_memory_create(&conv->forward.bias, &mine.bias, engine, DNNL_MEMORY_NONE));
    return make_operand(&conv->forward.source, &mine.input, layout_of(conv->hint, dnnl_query_src_md), 0) ||
           make_operand(&conv->forward.weights, &mine.weights, layout_of(conv->hint, dnnl_query_weights_md), 0) ||
           make_operand(&conv->forward.result, &mine.output, layout_of(conv->hint, dnnl_query_dst_md), 1) ||
           finish_step(&conv->forward, conv->hint, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST);
}

static int make_by_input(convolution *conv)
{
    step *s = &conv->by_input;
    dnnl_primitive_desc_t backward;
    layouts mine;
    int failed;
    if (describe(&conv->key, OF_TENSORS, &mine) || choose(conv, BY_INPUT, &backward)) return -1;
    failed = make_operand(&s->source, &mine.output, layout_of(backward, dnnl_query_diff_dst_md), 0) ||
             make_operand(&s->weights, &mine.weights, layout_of(backward, dnnl_query_weights_md), 0) ||
             make_operand(&s->result, &mine.input, layout_of(backward, dnnl_query_diff_src_md), 1) ||
             finish_step(s, backward, DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC);
    dnnl_primitive_desc_destroy(backward);
    return failed;
}

static int make_by_weights(convolution *conv)
{
    step *s = &conv->by_weights;
    dnnl_primitive_desc_t backward;
    layouts mine;
    int failed;
    if (describe(&conv->key, OF_TENSORS, &mine) || choose(conv, BY_WEIGHTS, &backward)) return -1;
    failed = make_operand(&s->source, &mine.input, layout_of(backward, dnnl_query_src_md), 0) ||
             make_operand(&s->weights, &mine.output, layout_of(backward, dnnl_query_diff_dst_md), 0) ||
             make_operand(&s->result, &mine.weights, layout_of(backward, dnnl_query_diff_weights_md), 1) ||
             finish_step(s, backward, DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS);
    dnnl_primitive_desc_destroy(backward);
    return failed;
}

/* Whether a training can go on after the forward pass. */
static int has_backward(const convolution *conv)
{
    dnnl_primitive_desc_t by_input, by_weights;
    if (choose(conv, BY_INPUT, &by_input)) return 0;
    dnnl_primitive_desc_destroy(by_input);
    if (choose(conv, BY_WEIGHTS, &by_weights)) return 0;
    dnnl_primitive_desc_destroy(by_weights);
    return 1;
}

static void free_operand(operand *o)
{
    if (o->inner) dnnl_memory_destroy(o->inner);
    if (o->outer) dnnl_memory_destroy(o->outer);
    if (o->reorder) dnnl_primitive_destroy(o->reorder);
    if (o->add) dnnl_primitive_destroy(o->add);
}

static void free_step(step *s)
{
    free_operand(&s->source);
    free_operand(&s->weights);
    free_operand(&s->result);
    if (s->primitive) dnnl_primitive_destroy(s->primitive);
    if (s->scratchpad) dnnl_memory_destroy(s->scratchpad);
    if (s->bias) dnnl_memory_destroy(s->bias);
}

/* A program that meets ever new sizes of images must not keep what it made for each. No layer holds on to any. */
void forget_convolutions(void)
{
    pthread_mutex_lock(&lock);
    if (number_known <= MOST_KNOWN) {
        pthread_mutex_unlock(&lock);
        return;
    }
    while (known) {
        convolution *conv = known;
        known = conv->next;
        free_step(&conv->forward);
        free_step(&conv->by_input);
        free_step(&conv->by_weights);
        if (conv->hint) dnnl_primitive_desc_destroy(conv->hint);
        free(conv);
        --number_known;
    }
    pthread_mutex_unlock(&lock);
}

/* The primitives of a layer, or NULL where oneDNN declines its shape. Each is made when it first runs: a network that
 * predicts has no backward ones, and the first layer none by input. */
static convolution *find(layer l, int input_blocked, int blocked, purpose why)
{
    shape key;
    convolution *conv;
    memset(&key, 0, sizeof key);
    key.batch = l.batch, key.c = l.c, key.h = l.h, key.w = l.w, key.n = l.n, key.groups = l.groups;
    key.size = l.size, key.stride = l.stride, key.pad = l.pad, key.out_h = l.out_h, key.out_w = l.out_w;
    key.input_blocked = input_blocked, key.blocked = blocked, key.purpose = why;
    key.activation = why == INFERENCE ? l.activation : LINEAR;
    for (conv = known; conv && memcmp(&conv->key, &key, sizeof key); conv = conv->next) {
    }
    if (!conv) {
        if (!engine && (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
                        dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success))
            return 0;
        conv = (convolution *)calloc(1, sizeof *conv);
        if (!conv) return 0;
        conv->key = key;
        conv->failed = choose(conv, FORWARD, &conv->hint) || (why != INFERENCE && !has_backward(conv));
        conv->next = known;
        known = conv;
        ++number_known;
    }
    return conv->failed ? 0 : conv;
}

/* ---- Running them ------------------------------------------------------------------------------------------------ */

static int run_reorder(dnnl_primitive_t reorder, dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_exec_arg_t arguments[2];
    arguments[0].arg = DNNL_ARG_FROM;
    arguments[0].memory = from;
    arguments[1].arg = DNNL_ARG_TO;
    arguments[1].memory = to;
    TRY(dnnl_primitive_execute(reorder, stream, 2, arguments));
    return 0;
}

/* Points an operand at its bytes: the tensor's own, or the next of the scratch buffer. */
static int bind(const operand *o, const void *bytes, int direct, char **free_scratch)
{
    TRY(dnnl_memory_set_data_handle(o->outer, (void *)bytes));
    TRY(dnnl_memory_set_data_handle(o->inner, direct ? (void *)bytes : (void *)*free_scratch));
    if (!direct) *free_scratch += o->bytes;
    return 0;
}

/* Scratch for every operand, and for one more set of weights: forward puts folded ones there. */
static char *need_scratch(const step *s)
{
    size_t need =
        (s->source.reorder ? s->source.bytes : 0) + 2 * s->weights.bytes + s->result.bytes + s->scratchpad_bytes;
    if (need > scratch_size) {
        free(scratch);
        scratch = 0;
        scratch_size = 0;
        if (posix_memalign((void **)&scratch, 64, need)) return scratch = 0;
        scratch_size = need;
    }
    return scratch;
}

/* result = primitive(source, weights), or += with `add`. The scratch buffer is free from `at` on. */
static int run(const step *s, const float *source, const float *weights, const float *bias, float *result, int add,
               char *at)
{
    dnnl_exec_arg_t arguments[5];
    int direct = !s->result.reorder && !add, i;
    if (bind(&s->source, source, !s->source.reorder, &at) || bind(&s->weights, weights, !s->weights.reorder, &at) ||
        bind(&s->result, result, direct, &at))
        return -1;
    TRY(dnnl_memory_set_data_handle(s->scratchpad, at));
    if (s->source.reorder && run_reorder(s->source.reorder, s->source.outer, s->source.inner)) return -1;
    if (s->weights.reorder && run_reorder(s->weights.reorder, s->weights.outer, s->weights.inner)) return -1;
    arguments[0].memory = s->source.inner;
    arguments[1].memory = s->weights.inner;
    arguments[2].memory = s->result.inner;
    for (i = 0; i < 3; ++i) arguments[i].arg = s->arguments[i];
    arguments[3].arg = DNNL_ARG_SCRATCHPAD;
    arguments[3].memory = s->scratchpad;
    if (s->bias) {
        TRY(dnnl_memory_set_data_handle(s->bias, (void *)bias));
        arguments[4].arg = DNNL_ARG_BIAS;
        arguments[4].memory = s->bias;
    }
    TRY(dnnl_primitive_execute(s->primitive, stream, s->bias ? 5 : 4, arguments));
    if (s->result.reorder && run_reorder(add ? s->result.add : s->result.reorder, s->result.inner, s->result.outer))
        return -1;
    TRY(dnnl_stream_wait(stream));
    if (!s->result.reorder && add) {
        void *sum;
        TRY(dnnl_memory_get_data_handle(s->result.inner, &sum));
        accel_axpy((int)s->result.floats, 1, (const float *)sum, result);
    }
    return 0;
}

static int run_forward(convolution *conv, const float *input, const float *weights, const float *bias, float *output)
{
    if (!conv->forward.primitive && make_forward(conv)) return -1;
    return need_scratch(&conv->forward) ? run(&conv->forward, input, weights, bias, output, 0, scratch) : -1;
}

/* A pass that has begun cannot be handed to Darknet's own code. */
static void give_up(layer l)
{
    fprintf(stderr,
            "darknet: oneDNN failed in a convolution of %d filters %dx%d over %d x %d x %d (out of memory?); build "
            "with ONEDNN=0 to do without it\n",
            l.n, l.size, l.size, l.w, l.h, l.c);
    exit(1);
}

/* adds: whether `delta_before` holds something already. NULL: nobody wants it. */
static void run_backward(convolution *conv, layer l, const float *input, float *delta_before, int adds)
{
    if (!conv->by_weights.primitive && make_by_weights(conv)) give_up(l);
    if (!need_scratch(&conv->by_weights) || run(&conv->by_weights, input, l.delta, 0, l.weight_updates, 1, scratch))
        give_up(l);
    if (!delta_before) return;
    if (!conv->by_input.primitive && make_by_input(conv)) give_up(l);
    if (!need_scratch(&conv->by_input) || run(&conv->by_input, l.delta, l.weights, 0, delta_before, adds, scratch))
        give_up(l);
}

int accel_forward_convolution(layer l, network net)
{
    convolution *conv;
    int done;
    pthread_mutex_lock(&lock);
    conv = find(l, 0, 0, TRAINING);
    done = conv && !run_forward(conv, net.input, l.weights, 0, l.output);
    pthread_mutex_unlock(&lock);
    return done;
}

int accel_backward_convolution(layer l, network net)
{
    convolution *conv;
    pthread_mutex_lock(&lock);
    conv = find(l, 0, 0, TRAINING);
    if (conv) run_backward(conv, l, net.input, net.delta, 1);
    pthread_mutex_unlock(&lock);
    return conv != 0;
}

/* ---- As a plan has it (plan.h) ----------------------------------------------------------------------------------- */

static purpose purpose_of(layer l, int train)
{
    return !train ? INFERENCE : l.batch_normalize ? TRAINING : TRAINING_WITH_BIAS;
}

int can_plan_convolution(layer l, int blocked, int train)
{
    int can;
    if (l.binary || l.xnor || !has_pieces(l.activation)) return 0;
    /* While training these two take place in the blocked layout. */
    if (train && !blocked && (l.batch_normalize || l.activation != LINEAR)) return 0;
    pthread_mutex_lock(&lock);
    can = find(l, 0, blocked, purpose_of(l, train)) != 0;
    pthread_mutex_unlock(&lock);
    return can;
}

/* Batch normalisation with the rolling averages is a factor of the weights and a bias: (x - mean) scale / deviation +
 * bias. Fills `weights` (l.nweights) and `bias` (l.n). */
static void fold_normalization(layer l, float *weights, float *bias)
{
    int n = l.nweights / l.n, f, i;
    for (f = 0; f < l.n; ++f) {
        float scale = l.scales[f] / (sqrtf(l.rolling_variance[f]) + .000001f);
        for (i = 0; i < n; ++i) weights[f * n + i] = l.weights[f * n + i] * scale;
        bias[f] = l.biases[f] - l.rolling_mean[f] * scale;
    }
}

static int infer(convolution *conv, layer l, const float *input)
{
    float *bias = l.biases, *weights = l.weights;
    char *at;
    if (!conv->forward.primitive && make_forward(conv)) return -1;
    at = need_scratch(&conv->forward);
    if (!at) return -1;
    if (l.batch_normalize) {
        /* l.mean is the batch's, which inference has none of */
        bias = l.mean;
        weights = (float *)at;
        at += aligned(l.nweights * sizeof(float));
        fold_normalization(l, weights, bias);
    }
    return run(&conv->forward, input, weights, bias, l.output, 0, at);
}

/* Without batch normalisation, the activation of l.output in place, and its gradient. */
static void activate(layer l, float *x, float *delta)
{
    int n = (int)blocked_floats(l.batch, l.out_c, l.out_h, l.out_w);
    if (l.activation == LINEAR) return;
    if (delta)
        accel_gradient(x, n, l.activation, delta);
    else
        accel_activate(x, n, l.activation);
}

void forward_planned_convolution(layer l, network net)
{
    const layer_plan *p = plan_of(net);
    convolution *conv;
    int failed;
    pthread_mutex_lock(&lock);
    conv = find(l, p->input_blocked, p->blocked, purpose_of(l, net.train));
    if (!net.train)
        failed = !conv || infer(conv, l, net.input);
    else
        failed = !conv || run_forward(conv, net.input, l.weights, l.biases, l.batch_normalize ? l.x : l.output);
    if (failed) give_up(l);
    pthread_mutex_unlock(&lock);
    if (!net.train) return;
    if (l.batch_normalize)
        forward_blocked_batchnorm(l);
    else
        activate(l, l.output, 0);
}

/* The sum of delta over images and pixels, in order. */
static void add_bias_gradient(layer l, int blocked)
{
    int block = blocked ? accel_block() : 1, blocks = (l.out_c + block - 1) / block, spatial = l.out_w * l.out_h, f;
#pragma omp parallel for schedule(static)
    for (f = 0; f < l.out_c; ++f) {
        double sum = 0;
        int b, i;
        for (b = 0; b < l.batch; ++b) {
            const float *delta = l.delta + ((size_t)b * blocks + f / block) * spatial * block + f % block;
            for (i = 0; i < spatial; ++i) sum += delta[(size_t)i * block];
        }
        l.bias_updates[f] += (float)sum;
    }
}

void backward_planned_convolution(layer l, network net)
{
    const layer_plan *p = plan_of(net);
    convolution *conv;
    if (l.batch_normalize) {
        backward_blocked_batchnorm(l);
    } else {
        activate(l, l.output, l.delta);
        add_bias_gradient(l, p->blocked);
    }
    pthread_mutex_lock(&lock);
    conv = find(l, p->input_blocked, p->blocked, purpose_of(l, 1));
    if (!conv) give_up(l);
    run_backward(conv, l, net.input, net.delta, !(p->overwrites & 1));
    pthread_mutex_unlock(&lock);
}

#endif
