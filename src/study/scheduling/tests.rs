use super::*;
use crate::backend::Backend;
use crate::study::Study;

const RESOURCES: Resources =
    Resources { workers: 2, is_gpu: false, engine: Engine::Autodiff, can_batch: true };

const FACTS: TrialFacts<'static> = TrialFacts {
    is_trainable: &|_| true,
    sizes: &|trial| trial.experiment.model.sizes(784, 10),
    num_images: &|_| (48, 12),
};

fn plan(text: &str) -> TrialPlan {
    let study = Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap();
    TrialPlan::new(&study, Backend::Flex, "", None).unwrap()
}

fn jobs_of(plan: &TrialPlan, resources: Resources) -> Vec<Job> {
    jobs(&plan.trials, resources, &FACTS)
}

const CV: &str = "folds = 3\n[vary]\noptimizer.learning_rate = [0.1, 0.2, 0.3, 0.4]";

const ON_GPU: Resources = Resources { workers: 1, is_gpu: true, ..RESOURCES };

fn batch<const N: usize>(groups: [&[usize]; N]) -> Job {
    Job::Batched(groups.map(<[usize]>::to_vec).to_vec())
}

#[test]
fn learning_rates_and_folds_fill_batches() {
    let all = [&[0, 3, 6, 9][..], &[1, 4, 7, 10], &[2, 5, 8, 11]];
    assert_eq!(jobs_of(&plan(CV), ON_GPU), [batch(all)]);
    let on_cpu = jobs_of(&plan(CV), RESOURCES);
    let start = [batch([&[0], &[1]]), Job::Single(2), batch([&[3], &[4]]), Job::Single(5)];
    assert_eq!((on_cpu.len(), &on_cpu[..4]), (8, &start[..]));
    assert_eq!(jobs_of(&plan(CV), Resources { workers: 16, ..RESOURCES }), on_cpu, "on any machine");
    let none = jobs_of(&plan(CV), Resources { can_batch: false, ..RESOURCES });
    assert_eq!(none, (0..12).map(Job::Single).collect::<Vec<_>>());
}

#[test]
fn each_seed_is_a_group() {
    let seeds = plan("seeds = [1, 2, 3, 4]\n[set]\ndata.validation = 10");
    assert_eq!(jobs_of(&seeds, ON_GPU), [batch([&[0], &[1], &[2], &[3]])]);
    let on_kernels = Resources { engine: Engine::Cpu, ..RESOURCES };
    assert_eq!(jobs_of(&seeds, on_kernels), [batch([&[0], &[1]]), batch([&[2], &[3]])]);
}

#[test]
fn networks_that_do_not_fit_run_individually() {
    let shapes = plan("folds = 2\n[vary]\nmodel.hidden = [[], [8], [512]]");
    assert_eq!(jobs_of(&shapes, ON_GPU).len(), 3);
    let single = jobs_of(&shapes, RESOURCES).split_off(4);
    assert_eq!(single, [Job::Single(4), Job::Single(5)]);
}

/// The kernels have a model batch for plain gradient descent of networks without hidden layers.
#[test]
fn the_engine_cpu_batches_softmax_networks_alone() {
    let one = Resources { workers: 1, engine: Engine::Cpu, ..RESOURCES };
    assert_eq!(jobs_of(&plan(CV), one).len(), 1);
    for set in ["model.hidden = [8]", "optimizer.momentum = 0.9", "optimizer.weight_decay = 0.1"] {
        let single = jobs_of(&plan(&format!("folds = 2\n[set]\n{set}")), one);
        assert_eq!(single, [Job::Single(0), Job::Single(1)], "{set}");
    }
    let smoothing = plan("folds = 2\n[vary]\ntraining.label_smoothing = [0.0, 0.1]");
    assert_eq!(jobs_of(&smoothing, one), [batch([&[0], &[1]]), batch([&[2], &[3]])], "one smoothing for all");
    let alone = plan("[set]\ndata.validation = 10");
    assert_eq!(jobs_of(&alone, one), [batch([&[0]])], "the same digits as beside others");
}

/// Three folds on two workers: a whole fold each, and half of the third one each.
#[test]
fn the_engine_cpu_gets_whole_groups_first() {
    let resources = Resources { engine: Engine::Cpu, ..RESOURCES };
    assert_eq!(
        jobs_of(&plan(CV), resources),
        [batch([&[0, 3, 6, 9]]), batch([&[1, 4, 7, 10]]), batch([&[2, 5]]), batch([&[8, 11]])]
    );
    let fewer_groups = jobs_of(&plan(CV), Resources { workers: 4, ..resources });
    let rates = [0, 3, 6, 9].map(|first| batch([&[first], &[first + 1], &[first + 2]]));
    assert_eq!(fewer_groups, rates, "a learning rate each");
}

/// Twelve trials of the same cost for three shards: pieces of a quarter of four trials.
#[test]
fn units_follow_from_the_study() {
    let units_of = |resources, num_shards| units(&plan(CV).trials, resources, &FACTS, |_| 2.0, num_shards);
    let on_kernels = Resources { engine: Engine::Cpu, ..RESOURCES };
    let pieces = units_of(on_kernels, 3);
    assert_eq!((pieces.len(), &pieces[1]), (12, &Unit { trials: vec![3], cost: 2.0 }));
    let groups = units_of(on_kernels, 1);
    // A group costs 8 of 24, and a piece at most a quarter: two equal pieces.
    assert_eq!(groups[0], Unit { trials: vec![0, 3], cost: 4.0 });
    assert_eq!(units_of(Resources { workers: 9, ..on_kernels }, 3), pieces, "on any machine");
    assert_eq!(units_of(ON_GPU, 3).len(), 1, "what a GPU trains side by side stays together");
}

#[test]
fn timed_configurations_take_turns() {
    let plan =
        plan("timing = true\nseeds = [1, 2]\nfolds = 2\n[vary]\noptimizer.learning_rate = [0.1, 0.2, 0.3]");
    let order: Vec<usize> = round_robin(&plan).iter().flat_map(Job::trials).collect();
    // The plan has the four trials of each configuration in a row: 0 to 3, 4 to 7, 8 to 11.
    assert_eq!(order, [0, 4, 8, 5, 9, 1, 10, 2, 6, 3, 7, 11]);
    let left = filter_jobs(round_robin(&plan), |trial| trial != 4 && trial != 0);
    assert_eq!(left[0], Job::Single(8), "what is left keeps its order");
}

#[test]
fn finished_trials_are_left_out_and_other_jobs_stay_equal() {
    let all = jobs_of(&plan(CV), Resources { engine: Engine::Cpu, ..RESOURCES });
    let after_one = filter_jobs(all.clone(), |trial| ![0, 3, 6, 9].contains(&trial));
    assert_eq!(after_one, all[1..], "a job that has not run is the same job");
    let uneven = filter_jobs(all.clone(), |trial| trial == 0 || trial == 3 || trial == 4);
    assert_eq!(uneven, [batch([&[0, 3]]), batch([&[4]])]);
    assert_eq!(filter_jobs(all, |_| false), []);
}
