/* One contestant of the loading benchmark: a Darknet, ours or an unpatched one, that loads a batch whenever it is told
 * to, with the arguments that its trainers give to load_data.
 *
 *     loading classifier|detector LIST BATCH THREADS      LIST: images, one path a line
 *
 * Every line of stdin is answered with one line: "about" with the peak memory so far in bytes as its third number,
 * every other with the seconds that one batch took, and the seconds of processor time. THREADS is what the trainer asks
 * for: 32 in train_classifier, 64 in train_detector. Knows Darknet's own header alone, so that an unpatched Darknet can
 * be linked to it.
 */
#include "darknet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* CIFAR-10 as in cfg/cifar10-resnet8.cfg. */
static void classifier(load_args *args)
{
    static char *labels[] = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
    args->w = args->h = args->size = 32;
    args->min = 32;
    args->max = 36;
    args->aspect = args->exposure = args->saturation = 1;
    args->classes = 10;
    args->labels = labels;
    args->type = CLASSIFICATION_DATA;
}

/* As in yolov3.cfg at 416x416. */
static void detector(load_args *args)
{
    args->w = args->h = args->size = 416;
    args->exposure = args->saturation = 1.5;
    args->hue = .1;
    args->jitter = .3;
    args->num_boxes = 90;
    args->classes = 20;
    args->type = DETECTION_DATA;
}

static double processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    FILE *answers = fdopen(dup(1), "w");
    load_args args = {0};
    char line[64];
    list *paths;
    data batch;
    if (argc != 5 || (strcmp(argv[1], "classifier") && strcmp(argv[1], "detector"))) {
        fprintf(stderr, "usage: %s classifier|detector LIST BATCH THREADS\n", argv[0]);
        return 1;
    }
    /* Darknet prints as it goes. */
    if (!freopen("/dev/null", "w", stdout)) return 1;
    srand(7);
    paths = get_paths(argv[2]);
    args.paths = (char **)list_to_array(paths);
    args.m = paths->size;
    args.n = atoi(argv[3]);
    args.threads = atoi(argv[4]);
    args.d = &batch;
    if (argv[1][0] == 'c')
        classifier(&args);
    else
        detector(&args);
    while (fgets(line, sizeof line, stdin)) {
        double start = what_time_is_it_now(), used = processor_time();
        if (!strcmp(line, "about\n")) {
            struct rusage use;
            getrusage(RUSAGE_SELF, &use);
            fprintf(answers, "0 0 %.0f\n", 1024. * use.ru_maxrss);
            fflush(answers);
            continue;
        }
        pthread_join(load_data(args), 0);
        fprintf(answers, "%.9f %.9f\n", what_time_is_it_now() - start, processor_time() - used);
        fflush(answers);
        free_data(batch);
    }
    return 0;
}
