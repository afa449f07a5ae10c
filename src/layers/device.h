/* What differs between a CPU and a CUDA build, in one place.
 *
 * A network runs on a GPU if the program was built with GPU=1 and the network's gpu_index is 0 or above; -nogpu makes
 * it -1. An ols_state is on the GPU if its S_gpu is set (ols.h).
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "darknet.h"
#include "ols/ols.h"

#ifdef GPU

#include "cuda.h"

static inline int on_gpu(network net)
{
    return net.gpu_index >= 0;
}
/* Makes a network's device the current one. */
static inline void use_device_of(network *net)
{
    if (net->gpu_index >= 0) cuda_set_device(net->gpu_index);
}
/* Moves a new state to the current GPU. Returns 0 or a cudaError_t. */
static inline int move_to_gpu(ols_state *state)
{
    return ols_state_to_gpu(state);
}
/* Updates S (Eq. 6) on the device or the host, wherever the state is; then the host arrays are up to date. Returns 0,
 * or 1 if a CUDA call failed. */
static inline int update_state(ols_state *state, const ols_options *options, int64_t epoch_images)
{
    if (state->S_gpu) return ols_update_gpu(state, options, epoch_images) || ols_pull(state);
    ols_update(state, options, epoch_images);
    return 0;
}
/* Averages the weights of n networks that train in parallel, so that all have the same, as Darknet does before it saves
 * one of them. */
static inline void sync_networks(network **nets, int n)
{
    sync_nets(nets, n, 0);
}

/* Checks a device for cuda_set_device. Returns 0 for n < 0 (no GPU wanted) and 1 if device n exists; otherwise ends the
 * program with one line. */
int device_usable(int n);

#else

static inline int on_gpu(network net)
{
    (void)net;
    return 0;
}
static inline void use_device_of(network *net)
{
    (void)net;
}
static inline int move_to_gpu(ols_state *state)
{
    (void)state;
    return 0;
}
static inline void sync_networks(network **nets, int n)
{
    (void)nets, (void)n;
}
static inline int update_state(ols_state *state, const ols_options *options, int64_t epoch_images)
{
    ols_update(state, options, epoch_images);
    return 0;
}

#endif

/* Ends the program where the current device is no GPU: Darknet's CPU code of this layer is not complete, and crashes.
 * `section` is "[lstm]", `index` that of the layer. */
void needs_gpu(const char *section, int index);

#endif
