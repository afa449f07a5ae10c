#include "commands/check.h"

#include "base/memory.h"
#include "commands/command_line.h"
#include "train/training_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: darknet check <data> [cfg]\n"
    "    looks at everything that a training reads, in seconds: the lists, every image's header, every label, the "
    "names,\n"
    "    the folder for weights and, with the cfg, its batches, schedule and classes. The first 20 problems are listed "
    "by\n"
    "    file and line, and the status is then 1. detector train and classifier train do the same before they begin.\n"
    "    Without the cfg it is a detector's data if the first images have label files.\n";

/* read_command_line takes two words for the command's name: argv with the first of them twice. */
static char **double_name(int *argc, char **argv)
{
    char **doubled = (char **)xcalloc((size_t)*argc + 2, sizeof *doubled);
    doubled[0] = argv[0];
    memcpy(doubled + 1, argv, (size_t)*argc * sizeof *argv);
    ++*argc;
    return doubled;
}

int run_check(int argc, char **argv)
{
    const char *words[2];
    char **doubled = double_name(&argc, argv);
    command_line line = {"check", usage, "<data>", 0, 0, words, 1, 2, 0};
    read_command_line(&line, argc, doubled);
    free(doubled);
    gpu_index = -1; /* the network of the cfg is made, but not run */
    return check_training(words[0], words[1], CHECK_UNKNOWN, stdout);
}
