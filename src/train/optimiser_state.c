#include "train/optimiser_state.h"

#include "blas.h"
#include "layers/device.h"
#include "train/layer_weights.h"
#include "train/nesterov.h"

#include <math.h>
#include <string.h>

/* An array of the optimiser's state, in host memory and on the GPU. */
typedef struct {
    float *values;
#ifdef GPU
    float *values_gpu;
#endif
    size_t count;
    int power; /* of the images of an update, with which the values grow */
} state_array;

enum { MAX_STATE_ARRAYS = 3 }; /* momentum, m, v */

/* The state of an array of weights. Returns the number of arrays; 0 if it is not trained. */
static int list_state(const weight_array *weights, state_array list[MAX_STATE_ARRAYS])
{
#ifdef GPU
    const state_array all[MAX_STATE_ARRAYS] = {{weights->updates, weights->updates_gpu, weights->count, 1},
                                               {weights->m, weights->m_gpu, weights->count, 1},
                                               {weights->v, weights->v_gpu, weights->count, 2}};
#else
    const state_array all[MAX_STATE_ARRAYS] = {
        {weights->updates, weights->count, 1}, {weights->m, weights->count, 1}, {weights->v, weights->count, 2}};
#endif
    int i, n = 0;
    for (i = 0; i < MAX_STATE_ARRAYS && weights->updates; ++i)
        if (all[i].values) list[n++] = all[i];
    return n;
}

/* Calls act(array, context) for all arrays in order, until it returns other than 0, which is then returned. */
static int for_each_array(network *net, int (*act)(const network *net, const state_array *array, void *context),
                          void *context)
{
    weight_array weights[MAX_WEIGHT_ARRAYS];
    state_array state[MAX_STATE_ARRAYS];
    int i, k, j, status = 0;
    for (i = 0; i < net->n; ++i) {
        const int n = net->layers[i].dontsave ? 0 : layer_weight_arrays(net->layers + i, weights);
        for (k = 0; k < n; ++k) {
            const int m = list_state(weights + k, state);
            for (j = 0; j < m && !status; ++j) status = act(net, state + j, context);
        }
    }
    return status;
}

static int count_array(const network *net, const state_array *array, void *context)
{
    (void)net, (void)array;
    ++*(uint32_t *)context;
    return 0;
}

uint32_t optimiser_count(network *net)
{
    uint32_t count = 0;
    for_each_array(net, count_array, &count);
    return count;
}

typedef struct {
    FILE *file;
    uint64_t bytes;
} output;

/* Whether all bytes are 0; in bits, as -Ofast takes the smallest numbers for 0. */
static int is_zero(const float *values, size_t n)
{
    const char *bytes = (const char *)values;
    return !bytes[0] && !memcmp(bytes, bytes + 1, n * sizeof *values - 1);
}

static int write_array(const network *net, const state_array *array, void *context)
{
    output *out = (output *)context;
    uint64_t count;
#ifdef GPU
    if (on_gpu(*net)) cuda_pull_array(array->values_gpu, array->values, array->count);
#endif
    (void)net;
    count = is_zero(array->values, array->count) ? 0 : array->count;
    fwrite(&count, sizeof count, 1, out->file);
    fwrite(array->values, sizeof(float), count, out->file);
    out->bytes += sizeof count + count * sizeof(float);
    return 0;
}

uint64_t optimiser_write(network *net, FILE *file)
{
    output out = {file, 0};
    for_each_array(net, write_array, &out);
    return out.bytes;
}

typedef struct {
    FILE *file;
    double ratio;    /* of the images of an update: the network's and the file's */
    int has_moments; /* one of Adam's second moments is not 0 */
} input;

static int read_array(const network *net, const state_array *array, void *context)
{
    input *in = (input *)context;
    uint64_t count;
    if (fread(&count, sizeof count, 1, in->file) != 1 || (count && count != array->count) ||
        fread(array->values, sizeof(float), count, in->file) != count)
        return -1;
    if (count && array->power == 2) in->has_moments = 1;
    /* not where it is 1: -Ofast takes the smallest numbers for 0 */
    if (in->ratio != 1) scal_cpu((int)count, (float)pow(in->ratio, array->power), array->values, 1);
    if (!count) memset(array->values, 0, array->count * sizeof(float));
#ifdef GPU
    if (on_gpu(*net)) cuda_push_array(array->values_gpu, array->values, array->count);
#endif
    (void)net;
    return 0;
}

int optimiser_read(network *net, uint32_t arrays, uint32_t batch, FILE *file)
{
    input in = {file, (double)net->batch * net->subdivisions / batch, 0};
    if (arrays != optimiser_count(net) || for_each_array(net, read_array, &in)) return -1;
    /* A CPU has counted updates that were not Adam's, whose correction of the bias belongs to its first ones. */
    if (net->adam && !in.has_moments) *net->t = 0;
    nesterov_resume(net);
    return 0;
}
