def report(jobs, cells):
    pass
