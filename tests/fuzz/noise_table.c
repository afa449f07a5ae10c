/* The table of noise_file=, plain or gzipped, for three images of two classes. Labels are classes after it, and those
 * of before where it is refused. */
#include "fuzz.h"

#include "data/label_noise.h"

#include "evaluation_data.h"

#include <string.h>

void fuzz(const uint8_t *data, size_t size)
{
    static char *data_file;
    class_names classes;
    int labels[] = {0, 1, 1}, i;
    if (!data_file) {
        char text[600];
        snprintf(text, sizeof text, "noise_file=%s\nnoise_column=worse\n", fuzz_path("table"));
        data_file = strdup(fuzz_file_named("a.data", text, strlen(text)));
    }
    fuzz_file_named("table", data, size);
    class_names_make(&classes, names_of_classes, "labels", 0, 0, 2);
    add_label_noise(data_file, &classes, paths_of_images, 3, labels);
    for (i = 0; i < 3; ++i) MUST(labels[i] == 0 || labels[i] == 1);
    class_names_free(&classes);
}
