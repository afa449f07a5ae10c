/* Batch normalisation on a GPU, with the formulas of Darknet's CUDA code: two kernels forward and two backward, instead
 * of eleven and six. With cuDNN these are used only in inference: cuDNN's backward call needs the inverse deviations of
 * a batch, and would take the rolling variances for them. */
#include "accel/gpu/cuda_kernels.cuh"

/* Mean, variance and rolling averages of a channel; one block per channel. */
static __global__ void statistics_kernel(const float *x, int batch, int channels, int spatial, float *mean,
                                         float *variance, float *rolling_mean, float *rolling_variance)
{
    int f = blockIdx.x;
    unsigned e, elements = batch * spatial;
    float sum = 0, m, v;
    for (e = threadIdx.x; e < elements; e += THREADS) sum += x[(e / spatial * channels + f) * spatial + e % spatial];
    m = (float)(block_sum(sum) / elements);
    sum = 0;
    for (e = threadIdx.x; e < elements; e += THREADS) {
        float from_mean = x[(e / spatial * channels + f) * spatial + e % spatial] - m;
        sum += from_mean * from_mean;
    }
    v = (float)(block_sum(sum) / (elements - 1.));
    if (threadIdx.x) return;
    mean[f] = m;
    variance[f] = v;
    rolling_mean[f] = .99f * rolling_mean[f] + .01f * m;
    rolling_variance[f] = .99f * rolling_variance[f] + .01f * v;
}

/* norm = (x - mean) / sqrt(variance + .00001); output = scale norm + bias. `output` may be `x`. */
static __global__ void normalize_kernel(unsigned n, const float *x, const float *mean, const float *variance,
                                        const float *scales, const float *biases, int channels, int spatial,
                                        float *norm, float *output)
{
    unsigned i = element();
    int f;
    float value;
    if (i >= n) return;
    f = (int)(i / spatial % channels);
    norm[i] = value = (x[i] - mean[f]) / sqrtf(variance[f] + .00001f);
    output[i] = value * scales[f] + biases[f];
}

/* Sums over a channel, one block per channel: the sums of delta and delta x_norm are added to the updates of bias and
 * scale; their means go to mean_delta and norm_delta. */
static __global__ void gradient_sums_kernel(const float *delta, const float *x_norm, int batch, int channels,
                                            int spatial, float *bias_updates, float *scale_updates, float *mean_delta,
                                            float *norm_delta)
{
    int f = blockIdx.x;
    unsigned e, elements = batch * spatial;
    float sum = 0, product = 0;
    double total, total_product;
    for (e = threadIdx.x; e < elements; e += THREADS) {
        unsigned at = (e / spatial * channels + f) * spatial + e % spatial;
        sum += delta[at];
        product += delta[at] * x_norm[at];
    }
    total = block_sum(sum);
    total_product = block_sum(product);
    if (threadIdx.x) return;
    bias_updates[f] += (float)total;
    scale_updates[f] += (float)total_product;
    mean_delta[f] = (float)(total / elements);
    norm_delta[f] = (float)(total_product / elements);
}

/* delta = scale / sqrt(variance + .00001) (delta - mean of delta - x_norm mean of delta x_norm). These are the three
 * terms of Darknet's normalize_delta_gpu, with x - mean = x_norm sqrt(variance + .00001). `copy`, if not NULL, gets the
 * same. */
static __global__ void gradient_kernel(unsigned n, const float *x_norm, const float *variance, const float *scales,
                                       const float *mean_delta, const float *norm_delta, int channels, int spatial,
                                       float *delta, float *copy)
{
    unsigned i = element();
    int f;
    float value;
    if (i >= n) return;
    f = (int)(i / spatial % channels);
    value = scales[f] / sqrtf(variance[f] + .00001f) * (delta[i] - mean_delta[f] - x_norm[i] * norm_delta[f]);
    delta[i] = value;
    if (copy) copy[i] = value;
}

int accel_forward_batchnorm_gpu(layer l, network net)
{
    int spatial = l.out_h * l.out_w;
    unsigned n = l.batch * l.outputs;
    const float *x = l.type == BATCHNORM ? net.input_gpu : l.output_gpu;
#ifdef CUDNN
    if (net.train) return 0;
#endif
    if (net.train)
        statistics_kernel<<<l.out_c, THREADS>>>(x, l.batch, l.out_c, spatial, l.mean_gpu, l.variance_gpu,
                                                l.rolling_mean_gpu, l.rolling_variance_gpu);
    normalize_kernel<<<blocks_for(n), THREADS>>>(n, x, net.train ? l.mean_gpu : l.rolling_mean_gpu,
                                                 net.train ? l.variance_gpu : l.rolling_variance_gpu, l.scales_gpu,
                                                 l.biases_gpu, l.out_c, spatial, l.x_norm_gpu, l.output_gpu);
    check_error(cudaPeekAtLastError());
    return 1;
}

int accel_backward_batchnorm_gpu(layer l, network net)
{
    int spatial = l.out_h * l.out_w;
    unsigned n = l.batch * l.outputs;
#ifdef CUDNN
    if (net.train) return 0;
#endif
    gradient_sums_kernel<<<l.out_c, THREADS>>>(l.delta_gpu, l.x_norm_gpu, l.batch, l.out_c, spatial, l.bias_updates_gpu,
                                               l.scale_updates_gpu, l.mean_delta_gpu, l.variance_delta_gpu);
    gradient_kernel<<<blocks_for(n), THREADS>>>(n, l.x_norm_gpu, net.train ? l.variance_gpu : l.rolling_variance_gpu,
                                                l.scales_gpu, l.mean_delta_gpu, l.variance_delta_gpu, l.out_c, spatial,
                                                l.delta_gpu, l.type == BATCHNORM ? net.delta_gpu : 0);
    check_error(cudaPeekAtLastError());
    return 1;
}
