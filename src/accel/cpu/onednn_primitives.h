/* oneDNN 2.x (C API) primitives for a convolution of one shape: creating and running them. Knows nothing of layers.
 *
 * oneDNN chooses the fastest layout for each tensor. If the caller's tensor has another layout, it is reordered.
 * oneDNN's terms are used here: the caller's tensor is user memory, the copy in the primitive's layout is primitive
 * memory.
 *
 * Not thread-safe. Functions that return an int return 0, or -1 if oneDNN fails.
 */
#ifndef ONEDNN_PRIMITIVES_H
#define ONEDNN_PRIMITIVES_H

#include "darknet.h"

#ifdef ONEDNN

#include <dnnl.h>

/* In inference, the primitive includes bias, batch normalisation and activation. */
typedef enum { TRAINING, TRAINING_WITH_BIAS, INFERENCE } convolution_purpose;

/* All that the primitives depend on. Only integers, so that keys have no padding and can be compared with memcmp. */
typedef struct {
    int batch, c, h, w, n, groups, size, stride, pad, out_h, out_w;
    int input_blocked, output_blocked; /* layouts of input and output, and of their gradients (blocked_layout.h) */
    convolution_purpose purpose;
    ACTIVATION activation; /* piecewise linear, in INFERENCE; otherwise LINEAR */
} convolution_key;

/* A tensor that a primitive reads or writes. */
typedef struct {
    dnnl_memory_t user_memory;      /* points to the tensor */
    dnnl_memory_t primitive_memory; /* points to the tensor, too, or to scratch memory */
    dnnl_primitive_t reorder;       /* source: user to primitive memory; result: back; NULL: equal layouts */
    dnnl_primitive_t reorder_add;   /* result: the same, but adds to the tensor */
    size_t bytes;                   /* of primitive memory */
    size_t floats;                  /* of the tensor, with padding channels */
} operand;

/* The passes, with their operands. The gradient of a tensor has the tensor's shape.
 *   FORWARD           input, weights -> output
 *   BACKWARD_DATA     gradient of the output, weights -> gradient of the input
 *   BACKWARD_WEIGHTS  input, gradient of the output -> gradient of the weights */
typedef enum { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS, PASSES } pass_kind;

enum { SOURCES = 2, RESULT = 2, OPERANDS = 3 }; /* operands 0 and 1 are read, operand 2 is written */

typedef struct {
    dnnl_primitive_t primitive; /* NULL: not created yet */
    operand operands[OPERANDS];
    int arguments[OPERANDS]; /* oneDNN's DNNL_ARG_... of each operand */
    dnnl_memory_t scratchpad;
    size_t scratchpad_bytes;
    dnnl_memory_t bias; /* NULL: the pass adds no bias */
} convolution_pass;

typedef struct convolution {
    convolution_key key;
    int declined; /* oneDNN has no code for the shape that is faster than Darknet's own */
    dnnl_primitive_desc_t forward_description;
    convolution_pass passes[PASSES];
    struct convolution *next;
} convolution;

/* Creates a convolution; never NULL. Each pass is created when it is first needed: prediction needs no backward pass,
 * and the first layer of a network no backward data. Free with free_convolution. */
convolution *make_convolution(const convolution_key *key);
void free_convolution(convolution *conv);

/* Returns a pass, created if necessary; NULL if oneDNN cannot create it. The convolution owns it. */
const convolution_pass *pass_of(convolution *conv, pass_kind kind);

/* Rounds a number of bytes up to whole cache lines of 64 bytes. */
static inline size_t aligned_bytes(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* The size of the scratch memory that run_pass needs, in bytes. */
size_t scratch_bytes(const convolution_pass *pass);

/* result = pass(source0, source1), or += if `add` is 1. `bias` is used only if the pass adds one. `scratch` must be
 * aligned to a cache line (64 bytes). */
int run_pass(const convolution_pass *pass, const float *source0, const float *source1, const float *bias, float *result,
             int add, char *scratch);

#endif
#endif
