/**
 * `scheduler_config.json` as diffusers writes it, field by field: used, harmless for what the studio computes, or refused by name. Nothing
 * is read past in silence.
 */
import { z } from '../lib/zod.ts';
import { readConfig, type OpenFile } from '../lib/modelFiles.ts';
import { layout } from '../lib/modelLayout.ts';

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

/** A field that must say nothing, or what the studio does anyway. */
const only = (...allowed: readonly (string | number | boolean | null)[]) =>
  z
    .union([z.string(), z.number(), z.boolean(), z.null()])
    .refine((value) => allowed.includes(value), {
      error: ({ input }) =>
        `is ${JSON.stringify(input)}, which the studio does not compute (it takes ${allowed.map((each) => JSON.stringify(each)).join(' or ')})`,
    })
    .optional();

const beta = z.number().gt(0).lt(1);

const EARLY = { beta_start: 0.0001, beta_end: 0.02, beta_schedule: 'linear' } as const;
const KARRAS = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'linear' } as const;

/** What each class of diffusers means by a field that is absent, where it is not what Stable Diffusion's own configuration says. */
const classDefaults = {
  DDIMScheduler: { ...EARLY, clip_sample: true },
  DDIMParallelScheduler: { ...EARLY, clip_sample: true },
  DDPMScheduler: { ...EARLY, clip_sample: true },
  DDPMParallelScheduler: { ...EARLY, clip_sample: true },
  PNDMScheduler: { ...EARLY, set_alpha_to_one: false },
  LMSDiscreteScheduler: EARLY,
  EulerDiscreteScheduler: EARLY,
  EulerAncestralDiscreteScheduler: EARLY,
  DPMSolverMultistepScheduler: EARLY,
  DPMSolverSinglestepScheduler: EARLY,
  DEISMultistepScheduler: EARLY,
  UniPCMultistepScheduler: EARLY,
  HeunDiscreteScheduler: KARRAS,
  KDPM2DiscreteScheduler: KARRAS,
  KDPM2AncestralDiscreteScheduler: KARRAS,
  LCMScheduler: {},
  TCDScheduler: {},
} as const;

type SchedulerClass = keyof typeof classDefaults;
const classes = Object.keys(classDefaults) as SchedulerClass[];

const used = {
  _class_name: z
    .enum(classes, { error: 'belongs to another kind of model than Stable Diffusion’s' })
    .optional(),
  num_train_timesteps: z.int().min(2).max(10_000).default(1000),
  beta_start: beta.default(0.00085),
  beta_end: beta.default(0.012),
  beta_schedule: z.enum(['scaled_linear', 'linear', 'squaredcos_cap_v2']).default('scaled_linear'),
  trained_betas: z.array(beta).min(2).max(10_000).nullish(),
  prediction_type: z.enum(['epsilon', 'v_prediction', 'sample']).default('epsilon'),
  /** Absent, each sampler takes its own. */
  timestep_spacing: z.enum(['leading', 'linspace', 'trailing']).optional(),
  steps_offset: z.int().min(0).max(100).default(0),
  /** Whether the last step of DDIM ends in the clean picture rather than at timestep 0. */
  set_alpha_to_one: z.boolean().default(true),
  /** Whether the last timestep is noise alone, as later fine-tunes learn it (Lin et al. 2023). */
  rescale_betas_zero_snr: flag,
  use_karras_sigmas: flag,
  /** DDIM and LCM keep their estimates within ± clip_sample_range. */
  clip_sample: flag,
  clip_sample_range: z.number().positive().default(1),
  /** Steps that an LCM was distilled from, and what its boundary conditions multiply the timestep by. */
  original_inference_steps: z.int().positive().max(10_000).default(50),
  timestep_scaling: z.number().positive().default(10),
} as const;

/** What changes nothing here, at these values; at any other the model wants something that the studio does not compute. */
const restricted = {
  thresholding: only(false, null),
  use_exponential_sigmas: only(false, null),
  use_beta_sigmas: only(false, null),
  use_lu_lambdas: only(false, null),
  use_flow_sigmas: only(false, null),
  interpolation_type: only('linear', null),
  timestep_type: only('discrete', null),
  final_sigmas_type: only('zero', null),
  sigma_min: only(null),
  sigma_max: only(null),
} as const;

/** Choices of other samplers than the user's, and of how diffusers computes. */
const HARMLESS = [
  '_diffusers_version',
  'algorithm_type',
  'clip_denoised',
  'disable_corrector',
  'dynamic_shifting',
  'dynamic_thresholding_ratio',
  'euler_at_final',
  'flow_shift',
  'lambda_min_clipped',
  'lower_order_final',
  'predict_x0',
  'prk_steps',
  'sample_max_value',
  'skip_prk_steps',
  'solver_order',
  'solver_p',
  'solver_type',
  'time_shift_type',
  'use_dynamic_shifting',
  'variance_type',
];

const fields = z.looseObject({ ...used, ...restricted });

const consistent = fields.superRefine((config, context) => {
  const refuse = (path: string, message: string) => {
    context.addIssue({ code: 'custom', path: [path], message });
  };
  const known = new Set([...Object.keys(used), ...Object.keys(restricted), ...HARMLESS]);
  for (const [name, value] of Object.entries(config))
    if (!known.has(name) && value !== null && value !== false)
      refuse(name, 'is a setting that the studio does not know, so the model might be drawn wrongly');
  if (
    !config.trained_betas &&
    config.beta_schedule !== 'squaredcos_cap_v2' &&
    config.beta_start >= config.beta_end
  )
    refuse('beta_end', `must be above beta_start (${config.beta_start}), found ${config.beta_end}`);
  if (config.rescale_betas_zero_snr && config.prediction_type === 'epsilon')
    refuse('rescale_betas_zero_snr', 'needs v_prediction: nothing can be told of a picture from noise alone');
  if (config.trained_betas && config.trained_betas.length !== config.num_train_timesteps)
    refuse(
      'trained_betas',
      `must have one number for each of the ${config.num_train_timesteps} timesteps, found ${config.trained_betas.length}`,
    );
});

/** The fields of a class that a configuration leaves out. */
function withClassDefaults(config: unknown): unknown {
  const { data } = z.looseObject({ _class_name: z.enum(classes) }).safeParse(config);
  return data ? { ...classDefaults[data._class_name], ...data } : config;
}

export const schedulerSchema = z.preprocess(withClassDefaults, consistent);

export type SchedulerConfig = z.infer<typeof schedulerSchema>;
export type PredictionType = SchedulerConfig['prediction_type'];
export type TimestepSpacing = NonNullable<SchedulerConfig['timestep_spacing']>;

/** Of a model's folder. Throws `model.config`, naming each field that stands against it. */
export function readSchedulerConfig(open: OpenFile): Promise<SchedulerConfig> {
  return readConfig(open, layout.scheduler, schedulerSchema);
}
