/* Shared by the tests that use Darknet: a temporary folder, and hiding what Darknet prints for every layer and every
 * step. */
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

/* The path of a file in the folder. Static storage, valid for the next 31 calls. */
static inline char *in_folder(const char *name)
{
    static char paths[32][320];
    static int next;
    char *path = paths[next++ % 32];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* Makes the temporary folder. Returns 0 on success, as cmocka requires of a setup function. */
static inline int make_folder_for(const char *test)
{
    const char *place = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/%s.XXXXXX", place ? place : "/tmp", test);
    return !mkdtemp(folder);
}

/* Removes the folder and these `n` files in it. Fails if there are other files, except that of hush. */
static inline int remove_folder_with(const char *const *names, size_t n)
{
    size_t i;
    for (i = 0; i < n; ++i) unlink(in_folder(names[i]));
    unlink(in_folder("said"));
    return rmdir(folder);
}

static int hushed, output_before[2];

/* Redirects stdout and stderr to the file `said`, until unhush. */
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

/* The text printed between the last hush and unhush. Static storage. */
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

/* Call first: if Darknet or a sanitizer ends the program, the hidden output is printed, which tells why. */
static inline void keep_last_words(void)
{
    atexit(show_last_words);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(show_last_words);
}

/* Call first in main. Sets one thread, because the networks are tiny, and because a forked child does not have its
 * parent's threads; OpenMP reads the variable at the start of a program, so the program is started again. Selects no
 * GPU, because other tests compare the GPU with the CPU. */
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
