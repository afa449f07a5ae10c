/* Checks that the GPU that the user wants, or that a layer needs, exists. */
#include "layers/device.h"

#include "base/error.h"
#include "layers/label_smoothing.h"

#ifdef GPU
int device_usable(int n)
{
    static int devices = -1;
    if (n < 0) return 0;
    if (devices < 0) {
        cudaError_t status = cudaGetDeviceCount(&devices);
        if (status != cudaSuccess || devices == 0)
            die("this is a GPU build, but no GPU can be used: %s; -nogpu runs on the CPU",
                status != cudaSuccess ? cudaGetErrorString(status) : "none is there");
    }
    if (n >= devices) die("there is no GPU %d: this machine has 0 to %d", n, devices - 1);
    return 1;
}
#endif

void needs_gpu(const char *section, int index)
{
    if (gpu_index < 0)
        die("%s (layer %d): Darknet has all of this layer for a GPU alone, and none is used here", section, index);
}
