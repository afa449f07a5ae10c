#include "accel/cpu/onednn_primitives.h"

#ifdef ONEDNN

#include "accel/cpu/accel_cpu.h"
#include "accel/cpu/blocked_layout.h"
#include "accel/cpu/piecewise_linear.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        if ((call) != dnnl_success) return -1;                                                                         \
    } while (0)

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static int start_engine(void)
{
    if (engine) return 0;
    TRY(dnnl_engine_create(&engine, dnnl_cpu, 0));
    TRY(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    return 0;
}

/* ---- Layouts ----------------------------------------------------------------------------------------------------- */

enum { INPUT, WEIGHTS, OUTPUT, BIAS, TENSORS };

/* USER_LAYOUT: the layouts of the caller's tensors. The other two are requests to a primitive. KEEP_BLOCKED: blocked
 * tensors stay as they are, all other layouts are oneDNN's choice. ANY_LAYOUT: all are oneDNN's choice. KEEP_BLOCKED is
 * tried first, because oneDNN may choose a layout that is a little faster, and reordering then costs more than it
 * gains. */
typedef enum { USER_LAYOUT, KEEP_BLOCKED, ANY_LAYOUT } layout_request;

/* The format tag of an input or an output. */
static dnnl_format_tag_t activation_layout(layout_request request, int blocked)
{
    if (request == ANY_LAYOUT || (request == KEEP_BLOCKED && !blocked)) return dnnl_format_tag_any;
    return !blocked ? dnnl_nchw : channels_per_block() == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

static int describe_tensors(const convolution_key *k, layout_request request, dnnl_memory_desc_t tensors[TENSORS])
{
    dnnl_dims_t input = {k->batch, k->c, k->h, k->w};
    dnnl_dims_t output = {k->batch, k->n, k->out_h, k->out_w};
    dnnl_dims_t grouped = {k->groups, k->n / k->groups, k->c / k->groups, k->size, k->size};
    dnnl_dims_t plain = {k->n, k->c, k->size, k->size};
    dnnl_dims_t bias = {k->n};
    dnnl_format_tag_t weights = request != USER_LAYOUT ? dnnl_format_tag_any : k->groups > 1 ? dnnl_goihw : dnnl_oihw;
    TRY(dnnl_memory_desc_init_by_tag(&tensors[INPUT], 4, input, dnnl_f32,
                                     activation_layout(request, k->input_blocked)));
    TRY(dnnl_memory_desc_init_by_tag(&tensors[OUTPUT], 4, output, dnnl_f32,
                                     activation_layout(request, k->output_blocked)));
    TRY(dnnl_memory_desc_init_by_tag(&tensors[WEIGHTS], k->groups > 1 ? 5 : 4, k->groups > 1 ? grouped : plain,
                                     dnnl_f32, weights));
    TRY(dnnl_memory_desc_init_by_tag(&tensors[BIAS], 1, bias, dnnl_f32, dnnl_x));
    return 0;
}

/* ---- Choosing an algorithm --------------------------------------------------------------------------------------- */

/* Darknet rounds the size of the output down, so the last rows and columns of the input may be unused. oneDNN needs
 * their number as a right padding, which is then negative. */
static void describe_padding(const convolution_key *k, dnnl_dims_t strides, dnnl_dims_t pad, dnnl_dims_t pad_right)
{
    strides[0] = strides[1] = k->stride;
    pad[0] = pad[1] = k->pad;
    pad_right[0] = (k->out_h - 1) * k->stride + k->size - k->h - k->pad;
    pad_right[1] = (k->out_w - 1) * k->stride + k->size - k->w - k->pad;
}

static int describe_pass(const convolution_key *k, pass_kind kind, layout_request request,
                         dnnl_convolution_desc_t *description)
{
    dnnl_dims_t strides, pad, pad_right;
    dnnl_memory_desc_t t[TENSORS];
    describe_padding(k, strides, pad, pad_right);
    if (describe_tensors(k, request, t)) return -1;
    switch (kind) {
    case FORWARD:
        TRY(dnnl_convolution_forward_desc_init(
            description, k->purpose == INFERENCE ? dnnl_forward_inference : dnnl_forward_training,
            dnnl_convolution_direct, &t[INPUT], &t[WEIGHTS], k->purpose == TRAINING ? 0 : &t[BIAS], &t[OUTPUT], strides,
            pad, pad_right));
        return 0;
    case BACKWARD_DATA:
        TRY(dnnl_convolution_backward_data_desc_init(description, dnnl_convolution_direct, &t[INPUT], &t[WEIGHTS],
                                                     &t[OUTPUT], strides, pad, pad_right));
        return 0;
    default:
        TRY(dnnl_convolution_backward_weights_desc_init(description, dnnl_convolution_direct, &t[INPUT], &t[WEIGHTS], 0,
                                                        &t[OUTPUT], strides, pad, pad_right));
        return 0;
    }
}

/* Attributes of all primitives: the activation, and a scratchpad that the caller provides, so that all of them share
 * one. */
static int make_attributes(dnnl_primitive_attr_t *attributes, const convolution_key *k)
{
    const piecewise_linear f = piecewise_linear_of(k->activation);
    TRY(dnnl_primitive_attr_create(attributes));
    TRY(dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user));
    if (f.negative_slope != 1) {
        dnnl_post_ops_t activation;
        TRY(dnnl_post_ops_create(&activation));
        /* NaN must not disappear, so that a diverged network is noticed. oneDNN's clip turns NaN into its lower bound,
         * which is therefore -inf; and a slope of 0 would turn NaN and -inf into 0. */
        if (f.ceiling < HUGE_VALF)
            TRY(dnnl_post_ops_append_eltwise(activation, 1, dnnl_eltwise_clip, -HUGE_VALF, f.ceiling));
        TRY(dnnl_post_ops_append_eltwise(activation, 1, dnnl_eltwise_relu,
                                         f.negative_slope > 0 ? f.negative_slope : 1e-30f, 0));
        TRY(dnnl_primitive_attr_set_post_ops(*attributes, activation));
        dnnl_post_ops_destroy(activation);
    }
    return 0;
}

/* oneDNN's reference code exists for every shape and layout, but is slower than Darknet's. */
static int is_reference_code(dnnl_primitive_desc_t description)
{
    const char *name = "";
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name);
    return !strncmp(name, "ref", 3);
}

/* Lets oneDNN choose an algorithm and layouts for a pass. Fails if it has none. */
static int choose(const convolution *conv, pass_kind kind, dnnl_primitive_desc_t *chosen)
{
    dnnl_primitive_attr_t attributes;
    int request, found = 0;
    if (make_attributes(&attributes, &conv->key)) return -1;
    for (request = KEEP_BLOCKED; request <= ANY_LAYOUT && !found; ++request) {
        dnnl_convolution_desc_t description;
        if (describe_pass(&conv->key, kind, (layout_request)request, &description) ||
            dnnl_primitive_desc_create(chosen, &description, attributes, engine,
                                       kind == FORWARD ? 0 : conv->forward_description) != dnnl_success)
            continue;
        found = !is_reference_code(*chosen);
        if (!found) {
            dnnl_primitive_desc_destroy(*chosen);
            *chosen = 0;
        }
    }
    dnnl_primitive_attr_destroy(attributes);
    return found ? 0 : -1;
}

static int can_choose(const convolution *conv, pass_kind kind)
{
    dnnl_primitive_desc_t chosen;
    if (choose(conv, kind, &chosen)) return 0;
    dnnl_primitive_desc_destroy(chosen);
    return 1;
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

static int make_operand(operand *o, const dnnl_memory_desc_t *user, const dnnl_memory_desc_t *primitive, int is_result)
{
    o->bytes = aligned_bytes(dnnl_memory_desc_get_size(primitive));
    o->floats = dnnl_memory_desc_get_size(user) / sizeof(float);
    TRY(dnnl_memory_create(&o->user_memory, user, engine, DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&o->primitive_memory, primitive, engine, DNNL_MEMORY_NONE));
    if (dnnl_memory_desc_equal(user, primitive)) return 0;
    if (!is_result) return make_reorder(&o->reorder, user, primitive, 0);
    return make_reorder(&o->reorder, primitive, user, 0) || make_reorder(&o->reorder_add, primitive, user, 1);
}

/* The operands of each pass: the tensor, what oneDNN calls it as an argument, and the query for its layout. */
static const struct {
    int tensor, argument;
    dnnl_query_t layout;
} operands_of[PASSES][OPERANDS] = {
    {{INPUT, DNNL_ARG_SRC, dnnl_query_src_md},
     {WEIGHTS, DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
     {OUTPUT, DNNL_ARG_DST, dnnl_query_dst_md}},
    {{OUTPUT, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
     {WEIGHTS, DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
     {INPUT, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md}},
    {{INPUT, DNNL_ARG_SRC, dnnl_query_src_md},
     {OUTPUT, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
     {WEIGHTS, DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md}},
};

static int make_pass(convolution_pass *pass, pass_kind kind, const convolution_key *key,
                     dnnl_primitive_desc_t description)
{
    dnnl_memory_desc_t user[TENSORS];
    const dnnl_memory_desc_t *scratchpad = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    int i;
    if (describe_tensors(key, USER_LAYOUT, user)) return -1;
    if (kind == FORWARD && key->purpose != TRAINING)
        TRY(dnnl_memory_create(&pass->bias, &user[BIAS], engine, DNNL_MEMORY_NONE));
    for (i = 0; i < OPERANDS; ++i) {
        pass->arguments[i] = operands_of[kind][i].argument;
        if (make_operand(&pass->operands[i], &user[operands_of[kind][i].tensor],
                         dnnl_primitive_desc_query_md(description, operands_of[kind][i].layout, 0), i == RESULT))
            return -1;
    }
    pass->scratchpad_bytes = aligned_bytes(dnnl_memory_desc_get_size(scratchpad));
    TRY(dnnl_memory_create(&pass->scratchpad, scratchpad, engine, DNNL_MEMORY_NONE));
    TRY(dnnl_primitive_create(&pass->primitive, description));
    return 0;
}

const convolution_pass *pass_of(convolution *conv, pass_kind kind)
{
    convolution_pass *pass = &conv->passes[kind];
    dnnl_primitive_desc_t description = conv->forward_description;
    int failed;
    if (pass->primitive) return pass;
    if (kind != FORWARD && choose(conv, kind, &description)) return 0;
    failed = make_pass(pass, kind, &conv->key, description);
    if (kind != FORWARD) dnnl_primitive_desc_destroy(description);
    return failed ? 0 : pass;
}

convolution *make_convolution(const convolution_key *key)
{
    convolution *conv = (convolution *)xcalloc(1, sizeof *conv);
    conv->key = *key;
    conv->declined = start_engine() || choose(conv, FORWARD, &conv->forward_description);
    /* in training the backward passes are needed, too */
    if (!conv->declined && key->purpose != INFERENCE)
        conv->declined = !can_choose(conv, BACKWARD_DATA) || !can_choose(conv, BACKWARD_WEIGHTS);
    return conv;
}

void free_convolution(convolution *conv)
{
    int kind, i;
    for (kind = 0; kind < PASSES; ++kind) {
        convolution_pass *pass = &conv->passes[kind];
        for (i = 0; i < OPERANDS; ++i) {
            operand *o = &pass->operands[i];
            if (o->user_memory) dnnl_memory_destroy(o->user_memory);
            if (o->primitive_memory) dnnl_memory_destroy(o->primitive_memory);
            if (o->reorder) dnnl_primitive_destroy(o->reorder);
            if (o->reorder_add) dnnl_primitive_destroy(o->reorder_add);
        }
        if (pass->primitive) dnnl_primitive_destroy(pass->primitive);
        if (pass->scratchpad) dnnl_memory_destroy(pass->scratchpad);
        if (pass->bias) dnnl_memory_destroy(pass->bias);
    }
    if (conv->forward_description) dnnl_primitive_desc_destroy(conv->forward_description);
    free(conv);
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

/* Sets the addresses of an operand. Its primitive memory is the tensor itself (`direct`) or the next bytes of *scratch,
 * which then advances. */
static int bind_operand(const operand *o, const void *tensor, int direct, char **scratch)
{
    TRY(dnnl_memory_set_data_handle(o->user_memory, (void *)tensor));
    TRY(dnnl_memory_set_data_handle(o->primitive_memory, direct ? (void *)tensor : (void *)*scratch));
    if (!direct) *scratch += o->bytes;
    return 0;
}

size_t scratch_bytes(const convolution_pass *pass)
{
    size_t bytes = pass->operands[RESULT].bytes + pass->scratchpad_bytes;
    int i;
    for (i = 0; i < SOURCES; ++i) bytes += pass->operands[i].reorder ? pass->operands[i].bytes : 0;
    return bytes;
}

int run_pass(const convolution_pass *pass, const float *source0, const float *source1, const float *bias, float *result,
             int add, char *scratch)
{
    const operand *sources = pass->operands, *to = &pass->operands[RESULT];
    const float *tensors[SOURCES] = {source0, source1};
    dnnl_exec_arg_t arguments[OPERANDS + 2];
    int i;
    for (i = 0; i < SOURCES; ++i)
        if (bind_operand(&sources[i], tensors[i], !sources[i].reorder, &scratch)) return -1;
    if (bind_operand(to, result, !to->reorder && !add, &scratch)) return -1;
    TRY(dnnl_memory_set_data_handle(pass->scratchpad, scratch));
    for (i = 0; i < SOURCES; ++i)
        if (sources[i].reorder && run_reorder(sources[i].reorder, sources[i].user_memory, sources[i].primitive_memory))
            return -1;
    for (i = 0; i < OPERANDS; ++i) {
        arguments[i].arg = pass->arguments[i];
        arguments[i].memory = pass->operands[i].primitive_memory;
    }
    arguments[OPERANDS].arg = DNNL_ARG_SCRATCHPAD;
    arguments[OPERANDS].memory = pass->scratchpad;
    if (pass->bias) {
        TRY(dnnl_memory_set_data_handle(pass->bias, (void *)bias));
        arguments[OPERANDS + 1].arg = DNNL_ARG_BIAS;
        arguments[OPERANDS + 1].memory = pass->bias;
    }
    TRY(dnnl_primitive_execute(pass->primitive, stream, pass->bias ? OPERANDS + 2 : OPERANDS + 1, arguments));
    if (to->reorder && run_reorder(add ? to->reorder_add : to->reorder, to->primitive_memory, to->user_memory))
        return -1;
    TRY(dnnl_stream_wait(stream));
    if (!to->reorder && add) {
        void *sum;
        TRY(dnnl_memory_get_data_handle(to->primitive_memory, &sum));
        accel_axpy((int)to->floats, 1, (const float *)sum, result);
    }
    return 0;
}

#endif
