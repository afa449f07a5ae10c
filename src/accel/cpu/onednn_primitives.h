/* What oneDNN 2.x (C API) makes for a convolution of one shape: its primitives, and running one of them. Knows nothing
 * of layers.
 *
 * oneDNN chooses the layout that it is fastest with. Where that is not the layout of a tensor, the tensor is reordered.
 * In oneDNN's words, which are used here, the tensor is user memory, and the copy in the primitive's layout is
 * primitive memory.
 *
 * Not for two threads at once. Functions that return an int answer 0, and -1 where oneDNN fails.
 */
#ifndef ONEDNN_PRIMITIVES_H
#define ONEDNN_PRIMITIVES_H

#include "darknet.h"

#ifdef ONEDNN

#include <dnnl.h>

/* In inference the bias, batch normalisation and the activation are part of the convolution. */
typedef enum { TRAINING, TRAINING_WITH_BIAS, INFERENCE } convolution_purpose;

/* Everything that the primitives depend on. Integers alone, so that keys can be compared with memcmp. */
typedef struct {
    int batch, c, h, w, n, groups, size, stride, pad, out_h, out_w;
    int input_blocked, output_blocked; /* layouts of input and output, and of their gradients (blocked_layout.h) */
    convolution_purpose purpose;
    ACTIVATION activation; /* piecewise linear, in INFERENCE; otherwise LINEAR */
} convolution_key;

/* A tensor that a primitive reads or writes. */
typedef struct {
    dnnl_memory_t user_memory;      /* its bytes are the tensor's */
    dnnl_memory_t primitive_memory; /* its bytes are the tensor's too, or scratch */
    dnnl_primitive_t reorder;     /* from user to primitive memory, or of a result back; NULL: the layouts are equal */
    dnnl_primitive_t reorder_add; /* of a result: the same, but adds to what the tensor holds */
    size_t bytes;                 /* of primitive memory */
    size_t floats;                /* of the tensor, filling of blocks included */
} operand;

/* The passes, and what each makes of what. Gradients by a tensor have the tensor's shape.
 *   FORWARD           input, weights -> output
 *   BACKWARD_DATA     gradient by the output, weights -> gradient by the input
 *   BACKWARD_WEIGHTS  input, gradient by the output -> gradient by the weights */
typedef enum { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS, PASSES } pass_kind;

enum { SOURCES = 2, RESULT = 2, OPERANDS = 3 }; /* operands 0 and 1 are read, and number 2 is written */

typedef struct {
    dnnl_primitive_t primitive; /* NULL: not made yet */
    operand operands[OPERANDS];
    int arguments[OPERANDS]; /* what oneDNN calls the operands */
    dnnl_memory_t scratchpad;
    size_t scratchpad_bytes;
    dnnl_memory_t bias; /* NULL: it adds none */
} convolution_pass;

typedef struct convolution {
    convolution_key key;
    int declined; /* oneDNN has nothing for the shape that is faster than Darknet's own code */
    dnnl_primitive_desc_t forward_description;
    convolution_pass passes[PASSES];
    struct convolution *next;
} convolution;

/* Never NULL. Each pass is made when it is first asked for: a network that predicts needs no backward ones, and the
 * first layer of a network none by its input. */
convolution *make_convolution(const convolution_key *key);
void free_convolution(convolution *conv);

/* The pass, or NULL where oneDNN cannot make it. It belongs to the convolution. */
const convolution_pass *pass_of(convolution *conv, pass_kind kind);

/* Bytes, rounded up to whole lines of the processor's cache, which are 64 bytes long. */
static inline size_t aligned_bytes(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Bytes of scratch memory that run_pass needs. */
size_t scratch_bytes(const convolution_pass *pass);

/* result = pass(source0, source1), or += with `add`; bias only where the pass adds one. `scratch` begins on a line of
 * the processor's cache. */
int run_pass(const convolution_pass *pass, const float *source0, const float *source1, const float *bias, float *result,
             int add, char *scratch);

#endif
#endif
