#include "commands/check.h"

#include "commands/command_line.h"
#include "train/training_check.h"

#include <stdio.h>

static const char usage[] =
    "usage: darknet check <data> [cfg]\n"
    "    looks at everything that a training reads, in seconds: the lists, every image's header, every label, the "
    "names,\n"
    "    the folder for weights and, with the cfg, its batches, schedule and classes. The first 20 problems are listed "
    "by\n"
    "    file and line, and the status is then 1. detector train and classifier train do the same before they begin.\n"
    "    Without the cfg it is a detector's data if the first images have label files.\n";

int run_check(int argc, char **argv)
{
    const char *words[2];
    command_line line = {"check", usage, "<data> [cfg]", 0, 0, words, 1, 2, 0, 1};
    read_command_line(&line, argc, argv);
    gpu_index = -1; /* the network of the cfg is made, but not run */
    return check_training(words[0], words[1], CHECK_UNKNOWN, stdout);
}
