use super::*;

/// Pool of one test. The pool of the process is not used, because other tests activate it.
fn spin_pool() -> &'static SpinPool {
    Box::leak(Box::new(SpinPool::new(2)))
}

#[test]
fn results_are_in_order_with_any_number_of_sessions() {
    let spin_pool = spin_pool();
    let squares = |count: usize| spin_pool.par_map((0..count).collect(), |number: usize| number * number);
    let expected = |count: usize| (0..count).map(|number| number * number).collect::<Vec<_>>();
    for active_sessions in 0..4 {
        let activate: Vec<Session> = (0..active_sessions).map(|_| spin_pool.activate()).collect();
        assert_eq!(spin_pool.active_pool().is_some(), active_sessions == 1);
        for count in [0, 1, 2, 7, 100] {
            assert_eq!(squares(count), expected(count));
        }
        drop(activate);
    }
}

#[test]
fn workers_share_the_work() {
    let spin_pool = spin_pool();
    let _session = spin_pool.activate();
    let threads = spin_pool.par_map(vec![(); 40], |()| {
        thread::sleep(std::time::Duration::from_millis(5));
        thread::current().id()
    });
    let others = threads.iter().filter(|&&id| id != thread::current().id()).count();
    assert!(others > 0 && others < 40, "{others} of 40 by others");
}

#[test]
fn a_caller_that_finds_the_pool_in_use_works_serially() {
    let spin_pool = spin_pool();
    let _session = spin_pool.activate();
    let sums = spin_pool.par_map(vec![3, 4, 5], |count: usize| {
        spin_pool.par_map((0..count).collect(), |number: usize| number * number).iter().sum::<usize>()
    });
    assert_eq!(sums, [5, 14, 30]);
}

#[test]
fn a_panic_in_a_worker_reaches_the_caller_and_leaves_the_pool_usable() {
    let spin_pool = spin_pool();
    let _session = spin_pool.activate();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        spin_pool.par_map((0..40).collect(), |number: usize| assert!(number != 7, "on purpose"));
    }));
    assert!(outcome.is_err());
    assert_eq!(spin_pool.par_map(vec![1, 2], |number| number + 1), [2, 3]);
}

#[test]
fn after_a_panic_no_further_part_starts() {
    let spin_pool = spin_pool();
    let _session = spin_pool.activate();
    let done = AtomicUsize::new(0);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        spin_pool.par_map((0..1000).collect(), |number: usize| {
            assert!(number != 0, "on purpose");
            thread::sleep(std::time::Duration::from_millis(1));
            done.fetch_add(1, Ordering::SeqCst);
        });
    }));
    assert!(outcome.is_err());
    assert!(done.load(Ordering::SeqCst) < 500, "{done:?} of 999 after it");
}
