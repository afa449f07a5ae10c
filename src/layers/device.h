/* What differs between a CPU and a CUDA build, in one place.
 *
 * A network runs on a GPU when it was built with GPU=1 and its gpu_index is 0 or above; -nogpu makes that -1. An
 * ols_state lives on the GPU when its S_gpu is set (ols.h).
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
/* Gives a new state its place on the current GPU. 0, or what CUDA says. */
static inline int move_to_gpu(ols_state *state)
{
    return ols_state_to_gpu(state);
}
/* ols_update where the state lives; the host's copy is current afterwards. */
static inline int update_state(ols_state *state, const ols_options *options, int64_t epoch_images)
{
    if (state->S_gpu) return ols_update_gpu(state, options, epoch_images) || ols_pull(state);
    ols_update(state, options, epoch_images);
    return 0;
}
/* Makes n networks that train in parallel equal, as Darknet does before it saves one of them. */
static inline void sync_networks(network **nets, int n)
{
    sync_nets(nets, n, 0);
}

/* For cuda_set_device: 0 for n < 0 (no GPU wanted); 1 when device n is there; ends the program with one line when it is
 * not. */
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
#endif
