/* What the tests of whole networks share: a folder for files, and silence for Darknet, which writes a line for every
 * layer and every step. */
#ifndef TEST_DARKNET_H
#define TEST_DARKNET_H

#include "helpers/leaks_of_darknet.h"

#include <darknet.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

/* A path in the folder. Static storage, good for the next thirty-one calls. */
static inline char *in_folder(const char *name)
{
    static char paths[32][320];
    static int next;
    char *path = paths[next++ % 32];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* Returns 0, as cmocka wants of a setup. */
static inline int make_folder_for(const char *test)
{
    const char *place = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/%s.XXXXXX", place ? place : "/tmp", test);
    return !mkdtemp(folder);
}

/* Fails where another file than these `n`, or the one of hush, was left behind. */
static inline int remove_folder_with(const char *const *names, size_t n)
{
    size_t i;
    for (i = 0; i < n; ++i) unlink(in_folder(names[i]));
    unlink(in_folder("said"));
    return rmdir(folder);
}

static int hushed, output_before[2];

/* Sends stdout and stderr to the file `said` until unhush. */
static inline void hush(void)
{
    int i, file = open(in_folder("said"), O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);
    fflush(stdout);
    fflush(stderr);
    for (i = 0; i < 2; ++i) {
        output_before[i] = dup(i + 1);
        dup2(file, i + 1);
    }
    close(file);
    hushed = 1;
}

static inline void unhush(void)
{
    int i;
    fflush(stdout);
    fflush(stderr);
    for (i = 0; i < 2; ++i) {
        dup2(output_before[i], i + 1);
        close(output_before[i]);
    }
    hushed = 0;
}

/* What was said between the last hush and unhush. */
static inline const char *said(void)
{
    static char text[65536];
    FILE *file = fopen(in_folder("said"), "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = 0;
    if (file) fclose(file);
    return text;
}

static inline void show_last_words(void)
{
    if (!hushed) return;
    unhush();
    fprintf(stderr, "%s", said());
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* Call first: where Darknet or a sanitizer ends the program, the reason would be lost. */
static inline void keep_last_words(void)
{
    atexit(show_last_words);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(show_last_words);
}

/* Call first in main: one thread, because the networks are tiny and a forked child has none of its parent's; no GPU,
 * because what one does is compared with this elsewhere. OpenMP reads its variable when a program starts, so that this
 * one starts again. */
static inline void begin_network_tests(char **argv)
{
    const char *threads = getenv("OMP_NUM_THREADS");
    if (!threads || strcmp(threads, "1")) {
        setenv("OMP_NUM_THREADS", "1", 1);
        execv("/proc/self/exe", argv);
    }
    gpu_index = -1;
    keep_last_words();
}

#endif
