/* A neuron over a whole sequence, forward and backward, one block of neurons at a time: all steps of a block run
   while it is in the cache. Arrays are (T, N), C-contiguous. Filled in by kernel.py. */
#include <stdint.h>
#include <stdlib.h>

typedef $real real;
$machine
/* Elements of a block, and steps whose memory is on the stack: kept, values and states are numbers of names */
enum { BLOCK = 64, FEW = 8, KEEPING = $keeping, COUNT = $count, STATES = $states };

static inline real square(real z) { return z * z; }
static inline real magnitude(real z) { return z < 0 ? -z : z; }
static inline real larger(real a, real b) { return a > b ? a : b; }

/* exp: 2^n times the Taylor series of the rest, which is at most ln(2)/2; a vector instruction at a time */
static inline real exponential(real z)
{
    z = z < LOWEST ? LOWEST : z;
    z = z > -LOWEST ? -LOWEST : z;
    const real scaled = z * (real)1.4426950408889634;
    const whole n = (whole)(scaled + (scaled < 0 ? (real)-0.5 : (real)0.5));
    const real rest = (z - (real)n * (real)0.693145751953125) - (real)n * (real)1.4286068203094172e-06;
    real sum = 1;
    for (int k = TERMS; k > 0; k--)
        sum = 1 + sum * rest * ((real)1 / (real)k);
    const union { whole bits; real value; } power = { .bits = (n + BIAS) << SHIFT };
    return sum * power.value;
}

static inline real derivative(const real v$shape) { return $derivative; }
#define surrogate(z) derivative(z$passed)

/* Blocks start where a line of the cache does; the compiler knows how long they are, and what does not overlap. */
#ifdef __GNUC__
#define ALIGNED __attribute__((aligned(64)))
#define INLINED static inline __attribute__((always_inline))
#else
#define ALIGNED
#define INLINED static inline
#endif

int64_t block_size(void) { return BLOCK; }

/* What is the same for all blocks. */
typedef struct {
    int64_t T, N;
    real constants[2 * COUNT + 1];    /* each value and its inverse */
    const real *const *start;         /* the states before the first step */
    const int64_t *stride;            /* of each of them; 0 repeats one value */
    real repeated[STATES + 1][BLOCK]; /* the states of stride 0 */
} Setting;

static const real zeros[BLOCK];

static Setting make(int64_t T, int64_t N, const double *values, const real *const *start, const int64_t *stride)
{
    Setting setting = { .T = T, .N = N, .start = start, .stride = stride };
    for (int k = 0; k < COUNT; k++) {
        setting.constants[2 * k] = (real)values[k];
        setting.constants[2 * k + 1] = 1 / (real)values[k];
    }
    for (int k = 0; k < STATES; k++)
        for (int lane = 0; lane < BLOCK && N && !stride[k]; lane++)
            setting.repeated[k][lane] = start[k][0];
    return setting;
}

/* Ask for a row of a block before it is needed. */
INLINED void fetch(const real *row, const int written)
{
#ifdef __GNUC__
    for (int64_t lane = 0; lane < BLOCK; lane += 64 / (int64_t)sizeof(real))
        if (written) __builtin_prefetch(row + lane, 1);
        else __builtin_prefetch(row + lane);
#endif
}

INLINED void forward_block(const Setting *setting, const int64_t from, const int64_t n, const real *restrict currents,
                           const real *const *inputs, real *restrict spikes, real *const *end)
{
    const int64_t T = setting->T, N = setting->N;
    (void)inputs;
    $constants
    $memory
    $begin
    for (int64_t t = 0; t < T; t++) {
        $input_rows
        #pragma omp simd
        for (int64_t lane = 0; lane < n; lane++) {
            const real x = currents[t * N + from + lane];
            real s;
            $inputs
            $load
            $step
            $store
            spikes[t * N + from + lane] = s;
        }
    }
    $end
}

/* The same steps again, keeping what the derivatives need, and then back in time. */
INLINED void backward_block(const Setting *setting, const int64_t from, const int64_t n, const real *restrict currents,
                            const real *const *inputs, const real *restrict d_spikes, const real *const *d_end,
                            real *restrict d_currents, real *const *d_inputs, real *const *d_start,
                            real *restrict kept, double *sums)
{
    const int64_t T = setting->T, N = setting->N;
    (void)inputs, (void)d_inputs, (void)kept, (void)sums;
    $constants
    $memory
    $begin
    for (int64_t t = 0; t < T; t++) {
        fetch(d_spikes + t * N + from, 0), fetch(d_currents + t * N + from, 1);
        $rows
        $input_rows
        #pragma omp simd
        for (int64_t lane = 0; lane < n; lane++) {
            const real x = currents[t * N + from + lane];
            real s;
            $inputs
            $load
            $keep_before
            $step
            $keep_after
            $store
            (void)s, (void)x;
        }
    }
    $d_memory
    $sums
    $d_begin
    for (int64_t t = T - 1; t >= 0; t--) {
        fetch(currents + t * N + from + BLOCK, 0);
        $rows
        $input_rows
        $d_input_rows
        #pragma omp simd$reduction
        for (int64_t lane = 0; lane < n; lane++) {
            const real x = currents[t * N + from + lane], d_s = d_spikes[t * N + from + lane];
            real d_x;
            $inputs
            $d_inputs
            $kept
            $d_load
            $adjoint
            $d_store
            $d_input_store
            d_currents[t * N + from + lane] = d_x;
            (void)x;
        }
    }
    $d_end
    $totals
}

/* x and the further inputs -> spikes, and the states before the first step -> those after the last one */
int forward(int64_t T, int64_t N, int threads, const double *values, const real *restrict x, const real *const *inputs,
            const real *const *start, const int64_t *stride, real *restrict spikes, real *const *end)
{
    const Setting setting = make(T, N, values, start, stride);
    const int64_t whole_blocks = N - N % BLOCK;
    #pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t from = 0; from < whole_blocks; from += BLOCK)
        forward_block(&setting, from, BLOCK, x, inputs, spikes, end);
    forward_block(&setting, whole_blocks, N % BLOCK, x, inputs, spikes, end);
    return 0;
}

/* Where an entry of d_end is null, that gradient is zero; where an entry of d_start is null, it is not wanted. sums has
   one row of N / BLOCK, rounded up, for each trained number. */
int backward(int64_t T, int64_t N, int threads, const double *values, const real *restrict x, const real *const *inputs,
             const real *const *start, const int64_t *stride, const real *restrict d_spikes, const real *const *d_end,
             real *restrict d_x, real *const *d_inputs, real *const *d_start, double *sums)
{
    const Setting setting = make(T, N, values, start, stride);
    const int64_t whole_blocks = N - N % BLOCK;
    int failed = 0;
    #pragma omp parallel num_threads(threads) reduction(|:failed)
    {
        real few[KEEPING * FEW * BLOCK + 1] ALIGNED;
        real *const more = T > FEW ? aligned_alloc(64, (size_t)(KEEPING * T + 1) * BLOCK * sizeof(real)) : NULL;
        real *const kept = T > FEW ? more : few;
        failed = !kept;
        #pragma omp for schedule(static)
        for (int64_t from = 0; from < whole_blocks; from += BLOCK)
            if (kept)
                backward_block(&setting, from, BLOCK, x, inputs, d_spikes, d_end, d_x, d_inputs, d_start, kept, sums);
        #pragma omp single
        if (kept && whole_blocks < N)
            backward_block(&setting, whole_blocks, N % BLOCK, x, inputs, d_spikes, d_end, d_x, d_inputs, d_start, kept,
                           sums);
        free(more);
    }
    return failed;
}
