/* Reads .data files and the lists that they name. */
#include "data/data_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/data_value.h"

#include "option_list.h"

#include <stdlib.h>
#include <string.h>

/* What Darknet's read_data_cfg returned, for which Darknet itself has no function. */
static void free_data_options(list *options)
{
    node *n;
    for (n = options->front; n; n = n->next) {
        kvp *pair = (kvp *)n->val;
        free(pair->key); /* the allocated line, which also holds the value */
        free(pair);
    }
    free_list(options);
}

void valid_data_free(valid_data *data)
{
    free_lines(&data->names);
    free_lines(&data->images);
    free(data->names_file);
    data->names_file = 0;
}

/* Sets *value to the value of a key; the text belongs to `options`. `path` is the .data file, for the message. */
static int find_value(list *options, const char *path, const char *key, const char **value)
{
    *value = option_find_str(options, (char *)key, 0);
    return *value ? 0 : report_error("%s has no %s=", path, key);
}

static int find_classes(const char *path, int *classes)
{
    long long value = 0;
    if (data_value_whole_number(path, "classes", 1, 1000000, &value)) return 1;
    if (!value) return report_error("%s has no classes=", path);
    *classes = (int)value;
    return 0;
}

int valid_data_read(const char *path, valid_data *data)
{
    const char *images, *names;
    list *options;
    int status;
    memset(data, 0, sizeof *data);
    if (check_file("data file", path)) return 1;
    options = read_data_cfg((char *)path);
    status = find_value(options, path, "valid", &images) || find_value(options, path, "names", &names) ||
             find_classes(path, &data->classes);
    if (!status) {
        data->names_file = xstrdup(names);
        status =
            read_lines("list of names", names, &data->names) || read_lines("list of images", images, &data->images);
    }
    free_data_options(options);
    return status;
}

int training_list_read(const char *path, int *classes, text_lines *images)
{
    const char *file;
    list *options;
    int status;
    memset(images, 0, sizeof *images);
    if (check_file("data file", path)) return 1;
    options = read_data_cfg((char *)path);
    status = find_value(options, path, "train", &file) || find_classes(path, classes) ||
             read_lines("list of images", file, images);
    free_data_options(options);
    return status;
}
