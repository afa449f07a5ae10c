#include "data/label_table.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/data_value.h"
#include "data/labelled_images.h"

#include "option_list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *path;
    int label;
} known_label;

static known_label *table; /* sorted by the addresses of the paths */
static int table_size, changed;

static int by_address(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t)((const known_label *)a)->path, y = (uintptr_t)((const known_label *)b)->path;
    return (x > y) - (x < y);
}

/* Refuses the first of the keys (up to NULL) that the file has. */
static void refuse_keys(const char *data_file, const char *const *keys, const char *why)
{
    int i;
    for (i = 0; keys[i]; ++i) {
        data_value value;
        if (data_value_find(data_file, keys[i], &value)) exit(1);
        if (value.text) die("%s:%d: %s=%s %s", data_file, value.line, keys[i], value.text, why);
    }
}

void refuse_label_keys(const char *data_file)
{
    static const char *const keys[] = {"truth", "noise_file", "noise_column", 0};
    refuse_keys(data_file, keys, "is for classifiers, not for detectors");
}

int use_labels(const char *data_file, const char *key, char **paths, int n)
{
    labelled_images images;
    long long tag = 0;
    int i, count;
    free(table);
    table = 0;
    table_size = changed = 0;
    if (data_value_whole_number(data_file, "tag", 0, 1, &tag)) exit(1);
    if (tag && !strcmp(key, "train")) {
        static const char *const keys[] = {"truth", "noise", "noise_file", 0};
        refuse_keys(data_file, keys, "does not go together with tag=1");
        return n;
    }
    if (labelled_images_read(data_file, key, &images)) exit(1);
    count = images.count;
    if (count > n) die("%s: the list %s= has changed while it was read", data_file, key);
    table = (known_label *)xmalloc(count * sizeof *table);
    for (i = 0; i < count; ++i) {
        const size_t length = strlen(images.paths[i]);
        if (strncmp(paths[i], images.paths[i], length))
            die("%s: the list %s= has changed while it was read", data_file, key);
        paths[i][length] = 0;
        table[i].path = paths[i];
        table[i].label = images.labels[i];
    }
    table_size = count;
    changed = count_changed_labels(&images);
    qsort(table, count, sizeof *table, by_address);
    labelled_images_free(&images);
    return count;
}

static const known_label *find(const char *path)
{
    known_label wanted = {path, 0};
    if (!table) return 0;
    return (const known_label *)bsearch(&wanted, table, table_size, sizeof wanted, by_address);
}

int label_of(const char *path)
{
    const known_label *found = find(path);
    return found ? found->label : -1;
}

int changed_labels(void)
{
    return changed;
}

int fill_label(const char *path, int classes, float *truth)
{
    const known_label *found = find(path);
    if (!found) return 0;
    memset(truth, 0, classes * sizeof *truth);
    if (found->label >= 0 && found->label < classes) truth[found->label] = 1;
    return 1;
}

char *find_labels_file(list *options)
{
    char *labels = option_find_str(options, "labels", 0);
    char *names = option_find_str(options, "names", 0);
    return labels ? labels : names ? names : option_find_str(options, "labels", "data/labels.list");
}
