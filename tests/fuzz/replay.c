/* Gives the files that are named to a target, one after another: replay of inputs without libFuzzer. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    int i;
    for (i = 1; i < argc; ++i) {
        size_t size;
        char *bytes = fuzz_read(argv[i], &size);
        uint8_t *exact = (uint8_t *)malloc(size ? size : 1); /* a sanitizer sees what is read behind it */
        size_t k;
        for (k = 0; k < size; ++k) exact[k] = (uint8_t)bytes[k];
        free(bytes);
        fprintf(stderr, "%s\n", argv[i]); /* the last one is that which failed */
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    printf("%d\n", argc - 1);
    return 0;
}
