/* Convolutions through oneDNN 2.x (C API).
 *
 * One set of primitives per shape, made when the shape is first seen and kept: layers of one shape share it, and a
 * resized network finds its old shapes again. oneDNN chooses the layout it is fastest with; where that is not Darknet's
 * (nchw, goihw), operands are reordered through one scratch buffer that all shapes share.
 */
#include "accel.h"

#ifdef ONEDNN

#include <dnnl.h>
#include <stdlib.h>
#include <string.h>

/* What identifies a shape. */
typedef struct {
    int batch, c, h, w, n, groups, size, stride, pad, out_h, out_w;
} shape;

/* One operand of a primitive: its layout there, and how to get it there from Darknet's layout, or back. */
typedef struct {
    dnnl_memory_t inner;      /* in the primitive's layout; its bytes are scratch unless direct */
    dnnl_memory_t outer;      /* in Darknet's layout; its bytes are Darknet's */
    dnnl_primitive_t reorder; /* NULL: direct, inner can use Darknet's bytes */
    size_t bytes;             /* of inner */
} operand;

typedef struct {
    dnnl_primitive_t primitive;
    operand source, weights, result; /* backward: (delta, weights, net.delta) or (input, delta, weight_updates) */
    int arguments[3];
} step;

typedef struct convolution {
    shape key;
    int failed; /* oneDNN declines the shape */
    step forward, by_input, by_weights;
    struct convolution *next;
} convolution;

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static convolution *known;
static char *scratch;
static size_t scratch_size;
/* Networks on several threads would share the scratch buffer. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        if ((call) != dnnl_success) return -1;                                                                         \
    } while (0)

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* A reordering operand. `into`: Darknet -> primitive; otherwise primitive -> Darknet, added to what is there when `add`
 * (oneDNN's reorder can do that in the same pass). A result that is to be added always goes through scratch. */
static int make_operand(operand *o, const dnnl_memory_desc_t *outer, const dnnl_memory_desc_t *inner, int into, int add)
{
    int direct = dnnl_memory_desc_equal(outer, inner) && !add;
    o->bytes = direct ? 0 : aligned(dnnl_memory_desc_get_size(inner));
    TRY(dnnl_memory_create(&o->outer, outer, engine, DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&o->inner, inner, engine, DNNL_MEMORY_NONE));
    if (!direct) {
        dnnl_primitive_desc_t description;
        dnnl_primitive_attr_t attributes;
        dnnl_post_ops_t sum;
        dnnl_status_t status;
        TRY(dnnl_primitive_attr_create(&attributes));
        TRY(dnnl_post_ops_create(&sum));
        if (add) TRY(dnnl_post_ops_append_sum(sum, 1));
        TRY(dnnl_primitive_attr_set_post_ops(attributes, sum));
        status = dnnl_reorder_primitive_desc_create(&description, into ? outer : inner, engine, into ? inner : outer,
                                                    engine, attributes);
        dnnl_post_ops_destroy(sum);
        dnnl_primitive_attr_destroy(attributes);
        TRY(status);
        TRY(dnnl_primitive_create(&o->reorder, description));
        dnnl_primitive_desc_destroy(description);
    }
    return 0;
}

static int run_reorder(const operand *o, int into)
{
    dnnl_exec_arg_t arguments[2];
    arguments[0].arg = DNNL_ARG_FROM;
    arguments[0].memory = into ? o->outer : o->inner;
    arguments[1].arg = DNNL_ARG_TO;
    arguments[1].memory = into ? o->inner : o->outer;
    TRY(dnnl_primitive_execute(o->reorder, stream, 2, arguments));
    return 0;
}

static int bind(const operand *o, const float *bytes, char **free_scratch)
{
    TRY(dnnl_memory_set_data_handle(o->outer, (void *)bytes));
    TRY(dnnl_memory_set_data_handle(o->inner, o->reorder ? (void *)*free_scratch : (void *)bytes));
    *free_scratch += o->bytes;
    return 0;
}

static int need_scratch(const step *s)
{
    size_t need = s->source.bytes + s->weights.bytes + s->result.bytes;
    if (need <= scratch_size) return 0;
    free(scratch);
    scratch_size = 0;
    if (posix_memalign((void **)&scratch, 64, need)) {
        scratch = 0;
        return -1;
    }
    scratch_size = need;
    return 0;
}

static int run(const step *s, const float *source, const float *weights, float *result)
{
    dnnl_exec_arg_t arguments[3];
    char *free_scratch;
    if (need_scratch(s)) return -1;
    free_scratch = scratch;
    if (bind(&s->source, source, &free_scratch) || bind(&s->weights, weights, &free_scratch) ||
        bind(&s->result, result, &free_scratch))
        return -1;
    if (s->source.reorder && run_reorder(&s->source, 1)) return -1;
    if (s->weights.reorder && run_reorder(&s->weights, 1)) return -1;
    arguments[0].arg = s->arguments[0];
    arguments[0].memory = s->source.inner;
    arguments[1].arg = s->arguments[1];
    arguments[1].memory = s->weights.inner;
    arguments[2].arg = s->arguments[2];
    arguments[2].memory = s->result.inner;
    TRY(dnnl_primitive_execute(s->primitive, stream, 3, arguments));
    if (s->result.reorder && run_reorder(&s->result, 0)) return -1;
    TRY(dnnl_stream_wait(stream));
    return 0;
}

/* Layouts: Darknet's own, and "whichever is fastest". */
typedef struct {
    dnnl_memory_desc_t input, weights, output;
} layouts;

static int describe(const shape *k, dnnl_format_tag_t activations, dnnl_format_tag_t weights, layouts *d)
{
    dnnl_dims_t input = {k->batch, k->c, k->h, k->w};
    dnnl_dims_t output = {k->batch, k->n, k->out_h, k->out_w};
    dnnl_dims_t grouped = {k->groups, k->n / k->groups, k->c / k->groups, k->size, k->size};
    dnnl_dims_t plain = {k->n, k->c, k->size, k->size};
    TRY(dnnl_memory_desc_init_by_tag(&d->input, 4, input, dnnl_f32, activations));
    TRY(dnnl_memory_desc_init_by_tag(&d->output, 4, output, dnnl_f32, activations));
    TRY(dnnl_memory_desc_init_by_tag(&d->weights, k->groups > 1 ? 5 : 4, k->groups > 1 ? grouped : plain, dnnl_f32,
                                     weights));
    return 0;
}

static const dnnl_memory_desc_t *layout_of(dnnl_primitive_desc_t description, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(description, what, 0);
}

static int make_primitives(convolution *conv)
{
    const shape *k = &conv->key;
    dnnl_dims_t strides = {k->stride, k->stride}, pad = {k->pad, k->pad}, pad_right;
    dnnl_convolution_desc_t description;
    dnnl_primitive_desc_t forward, backward;
    layouts mine, any;

    /* Darknet rounds the output down; oneDNN wants to hear of the rows and columns that are left over. */
    pad_right[0] = (k->out_h - 1) * k->stride + k->size - k->h - k->pad;
    pad_right[1] = (k->out_w - 1) * k->stride + k->size - k->w - k->pad;
    if (describe(k, dnnl_nchw, k->groups > 1 ? dnnl_goihw : dnnl_oihw, &mine)) return -1;
    if (describe(k, dnnl_format_tag_any, dnnl_format_tag_any, &any)) return -1;

    TRY(dnnl_convolution_forward_desc_init(&description, dnnl_forward_training, dnnl_convolution_direct, &any.input,
                                           &any.weights, 0, &any.output, strides, pad, pad_right));
    TRY(dnnl_primitive_desc_create(&forward, &description, 0, engine, 0));
    TRY(dnnl_primitive_create(&conv->forward.primitive, forward));
    if (make_operand(&conv->forward.source, &mine.input, layout_of(forward, dnnl_query_src_md), 1, 0) ||
        make_operand(&conv->forward.weights, &mine.weights, layout_of(forward, dnnl_query_weights_md), 1, 0) ||
        make_operand(&conv->forward.result, &mine.output, layout_of(forward, dnnl_query_dst_md), 0, 0))
        return -1;
    conv->forward.arguments[0] = DNNL_ARG_SRC;
    conv->forward.arguments[1] = DNNL_ARG_WEIGHTS;
    conv->forward.arguments[2] = DNNL_ARG_DST;

    TRY(dnnl_convolution_backward_data_desc_init(&description, dnnl_convolution_direct, &any.input, &any.weights,
                                                 &any.output, strides, pad, pad_right));
    TRY(dnnl_primitive_desc_create(&backward, &description, 0, engine, forward));
    TRY(dnnl_primitive_create(&conv->by_input.primitive, backward));
    if (make_operand(&conv->by_input.source, &mine.output, layout_of(backward, dnnl_query_diff_dst_md), 1, 0) ||
        make_operand(&conv->by_input.weights, &mine.weights, layout_of(backward, dnnl_query_weights_md), 1, 0) ||
        make_operand(&conv->by_input.result, &mine.input, layout_of(backward, dnnl_query_diff_src_md), 0, 1))
        return -1;
    dnnl_primitive_desc_destroy(backward);
    conv->by_input.arguments[0] = DNNL_ARG_DIFF_DST;
    conv->by_input.arguments[1] = DNNL_ARG_WEIGHTS;
    conv->by_input.arguments[2] = DNNL_ARG_DIFF_SRC;

    TRY(dnnl_convolution_backward_weights_desc_init(&description, dnnl_convolution_direct, &any.input, &any.weights, 0,
                                                    &any.output, strides, pad, pad_right));
    TRY(dnnl_primitive_desc_create(&backward, &description, 0, engine, forward));
    TRY(dnnl_primitive_create(&conv->by_weights.primitive, backward));
    if (make_operand(&conv->by_weights.source, &mine.input, layout_of(backward, dnnl_query_src_md), 1, 0) ||
        make_operand(&conv->by_weights.weights, &mine.output, layout_of(backward, dnnl_query_diff_dst_md), 1, 0) ||
        make_operand(&conv->by_weights.result, &mine.weights, layout_of(backward, dnnl_query_diff_weights_md), 0, 1))
        return -1;
    dnnl_primitive_desc_destroy(backward);
    dnnl_primitive_desc_destroy(forward);
    conv->by_weights.arguments[0] = DNNL_ARG_SRC;
    conv->by_weights.arguments[1] = DNNL_ARG_DIFF_DST;
    conv->by_weights.arguments[2] = DNNL_ARG_DIFF_WEIGHTS;
    return 0;
}

/* The primitives of a layer's shape, or NULL where oneDNN declines it. */
static convolution *find(layer l)
{
    shape key;
    convolution *conv;
    memset(&key, 0, sizeof key);
    key.batch = l.batch, key.c = l.c, key.h = l.h, key.w = l.w, key.n = l.n, key.groups = l.groups;
    key.size = l.size, key.stride = l.stride, key.pad = l.pad, key.out_h = l.out_h, key.out_w = l.out_w;
    for (conv = known; conv && memcmp(&conv->key, &key, sizeof key); conv = conv->next) {
    }
    if (!conv) {
        if (!engine && (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
                        dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success))
            return 0;
        conv = (convolution *)calloc(1, sizeof *conv);
        if (!conv) return 0;
        conv->key = key;
        conv->failed = make_primitives(conv);
        conv->next = known;
        known = conv;
    }
    return conv->failed ? 0 : conv;
}

int accel_forward_convolution(layer l, network net)
{
    convolution *conv;
    int done;
    pthread_mutex_lock(&lock);
    conv = find(l);
    done = conv && !run(&conv->forward, net.input, l.weights, l.output);
    pthread_mutex_unlock(&lock);
    return done;
}

int accel_backward_convolution(layer l, network net)
{
    convolution *conv;
    int done;
    pthread_mutex_lock(&lock);
    conv = find(l);
    done = conv && !run(&conv->by_weights, net.input, l.delta, l.weight_updates);
    if (done && net.delta && run(&conv->by_input, l.delta, l.weights, net.delta)) {
        /* Half is done, so Darknet's own code cannot take over. */
        fprintf(stderr, "darknet: oneDNN failed in the middle of a layer; build with ONEDNN=0\n");
        exit(1);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

#endif
