/* An image file, through stb_image with its guards. A photo that is decoded has all the pixels that its header says;
 * none takes more memory than it can need (-malloc_limit_mb of tests/fuzz/run). */
#include "fuzz.h"

#include "data/image_header.h"
#include "data/photo.h"

#include <string.h>

void fuzz(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    char reason[256] = "";
    photo p;
    int w = 0, h = 0;
    const int wrong = image_header_problem(path, reason, sizeof reason);
    MUST(wrong == (*reason != 0));
    photo_size(path, &w, &h);
    if (!photo_decode(path, &p)) return;
    MUST(!wrong && p.w > 0 && p.h > 0 && p.c == 3 && p.w == w && p.h == h);
    {
        const size_t bytes = (size_t)p.w * p.h * p.c;
        size_t i;
        unsigned sum = 0;
        for (i = 0; i < bytes; ++i) sum += p.bytes[i]; /* memory that is there, and was written */
        MUST(sum <= 255 * bytes);
    }
    photo_close(p);
}
