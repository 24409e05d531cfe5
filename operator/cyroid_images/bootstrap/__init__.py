"""What an installation needs once before it can work: the registry's Secrets, a first cache.

Run by the chart's hook Jobs, each with an account of its own, as `cyroid-images bootstrap`;
the operator itself never comes here and can make no Secret. Nothing here is ever overwritten
that is there already, so every step may run again at any time and after any crash.

    registry_secrets   push password, htpasswd and http.secret of the registry
    default_cache      the ImageCache `default`, as the chart's values say
    kubernetes_api     foreign exceptions become ours
    steps              each step by its arguments
    command            the arguments of the two Jobs
"""
