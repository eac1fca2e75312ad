# What programs that use Perl's Net::LDAP do.
#
# Standard input holds lines NAME=VALUE: where the server is, the file of its authority's certificate, and passwords.
use strict;
use warnings;
use utf8;
use Net::LDAP;
use Net::LDAP::Constant qw(LDAP_CONTROL_PAGED LDAP_CONTROL_PASSWORDPOLICY);
use Net::LDAP::Control::Paged;
use Net::LDAP::Control::PasswordPolicy;
use Net::LDAP::Extension::SetPassword;
use Net::LDAP::Extension::WhoAmI;
use Net::LDAP::Util qw(escape_filter_value ldap_explode_dn);

my %task = map { chomp; split(/=/, $_, 2) } <STDIN>;
my $suffix = 'dc=example,dc=com';
my $people = "ou=people,$suffix";
my ($admin, $alice, $bob) = ("cn=admin,$suffix", "uid=alice,$people", "uid=bob,$people");

sub is {
    my ($got, $wanted) = @_;
    my $line = (caller)[2];
    die "line $line: '$got' is not '$wanted'\n" unless $got eq $wanted;
}

# The answer, which must have that result code.
sub told {
    my ($code, $answer) = @_;
    my $line = (caller)[2];
    die "line $line: " . $answer->code . ' ' . $answer->error . "\n" unless $answer->code == $code;
    return $answer;
}

sub connection {
    my $ldap = Net::LDAP->new($task{ldaps}, verify => 'require', cafile => $task{ca}, timeout => 20) or die $@;
    return $ldap;
}

sub bound {
    my ($name, $password) = @_;
    my ($short) = $name =~ /^\w+=(\w+)/;
    my $ldap = connection();
    told(0, $ldap->bind($name, password => $password // $task{$short}));
    return $ldap;
}

sub transports {
    my $ldap = Net::LDAP->new($task{ldap}, timeout => 20) or die $@;
    told(13, $ldap->bind($alice, password => $task{alice}));
    told(0, $ldap->start_tls(verify => 'require', cafile => $task{ca}));
    told(0, $ldap->bind($alice, password => $task{alice}));
    is($ldap->who_am_i->response, "dn:$alice");
    told(49, $ldap->bind($alice, password => 'a guess'));
    told(0, $ldap->bind($alice, password => $task{alice}));
    # C2: a name without a password is nobody.
    my $empty = $ldap->bind($alice, password => '');
    die 'an empty password is taken' unless $empty->code;
    $ldap->unbind;
}

sub information {
    my $dse = connection()->root_dse(attrs => ['*', '+']);
    is(join(' ', $dse->get_value('namingContexts')), $suffix);
    die 'no extension' unless $dse->supported_extension('1.3.6.1.4.1.4203.1.11.1');
    die 'no paging' unless $dse->supported_control(LDAP_CONTROL_PAGED);
    my $schema = connection()->schema or die 'no schema';
    is($schema->error // '', '');
    is(join(' ', sort map { $_->{name} } $schema->must('person')), 'cn objectClass sn');
    is($schema->attribute('surname')->{name}, 'sn');
    my %known = map { lc($_) => 1 } map { ($_->{name}, @{ $_->{aliases} // [] }) } $schema->all_attributes;
    my $all = told(0, bound($admin)->search(base => $suffix, filter => '(objectClass=*)', attrs => ['*', '+']));
    for my $entry ($all->entries) {
        for my $name ($entry->attributes(nooptions => 1)) {
            die "$name is not in the schema" unless $known{ lc $name };
        }
    }
}

sub searches {
    my $ldap = bound($admin);
    my $found = told(0, $ldap->search(base => $people, filter => '(&(objectClass=person)(|(uid=ALICE)(mail=alice)))'));
    is(join(' ', map { $_->dn } $found->entries), $alice);
    my @whole = map { $_->dn } told(0, $ldap->search(base => $suffix, filter => '(objectClass=*)', attrs => ['1.1']))->entries;
    my $page = Net::LDAP::Control::Paged->new(size => 3, critical => 1);
    my @paged;
    while (1) {
        my $part = told(0, $ldap->search(
            base => $suffix, filter => '(objectClass=*)', attrs => ['1.1'], control => [$page]));
        push @paged, map { $_->dn } $part->entries;
        my ($answer) = $part->control(LDAP_CONTROL_PAGED) or die 'no answer about pages';
        $page->cookie($answer->cookie);
        last unless length $answer->cookie;
    }
    is("@paged", "@whole");
    told(4, $ldap->search(base => $suffix, filter => '(objectClass=*)', sizelimit => 2));
    is(told(32, $ldap->search(base => "uid=nobody,$people", filter => '(objectClass=*)'))->dn, $people);
    # A search whose entries are taken one by one, and which is given up.
    my $count = 0;
    my $search;
    $search = $ldap->search(base => $suffix, filter => '(objectClass=*)', callback => sub {
        my ($message, $entry) = @_;
        $message->pop_entry if $entry;
        $count++ if $entry;
    });
    is($count, scalar @whole);
}

sub writes {
    my $ldap = bound($admin);
    my ($name, $odd) = ("cn=caf\x{e9} \\+ co,ou=services,$suffix", "\x{c4}rger * ( ) \\");
    utf8::encode($_) for $name, $odd;
    told(0, $ldap->add($name, attrs => [objectClass => ['device'], serialNumber => ['1', '2'], description => $odd]));
    told(68, $ldap->add($name, attrs => [objectClass => ['device']]));
    my $filter = '(description=' . escape_filter_value($odd) . ')';
    my $entry = told(0, $ldap->search(base => $suffix, filter => $filter))->entry(0);
    is($entry->get_value('description'), $odd);
    $entry->replace(description => 'new');
    $entry->add(l => 'Berlin');
    $entry->delete(serialNumber => ['1']);
    told(0, $entry->update($ldap));
    told(6, $ldap->compare($name, attr => 'l', value => 'BERLIN'));
    told(5, $ldap->compare($name, attr => 'l', value => 'Bern'));
    told(0, $ldap->modify($alice, increment => { uidNumber => 5 }));
    told(6, $ldap->compare($alice, attr => 'uidNumber', value => '5006'));
    told(16, $ldap->modify($alice, delete => ['street']));
    told(17, $ldap->modify($alice, add => { shoeSize => 44 }));
    told(65, $ldap->modify($alice, delete => ['sn']));
    told(0, $ldap->moddn($name, newrdn => 'cn=thing', deleteoldrdn => 1, newsuperior => $people));
    told(66, $ldap->delete($people));
    told(0, $ldap->delete("cn=thing,$people"));
}

sub passwords {
    my $ldap = bound($alice);
    my $change = sub { $ldap->set_password(user => $alice, oldpasswd => $_[0], newpasswd => $_[1], @_[2 .. $#_]) };
    my $policy = Net::LDAP::Control::PasswordPolicy->new;
    my $short = told(19, $change->($task{alice}, 'short', control => [$policy]));
    die $short->error unless $short->error =~ /at least 15 characters/;
    my ($answer) = $short->control(LDAP_CONTROL_PASSWORDPOLICY) or die 'no answer about the policy';
    is($answer->pp_error, 6);
    told(49, $change->('a guess', 'a much better secret'));
    told(0, $change->($task{alice}, 'a much better secret'));
    $ldap = bound($alice, 'a much better secret');
    my $made = told(0, $ldap->set_password(oldpasswd => 'a much better secret'))->gen_password;
    die "'$made' is short" unless length $made >= 15;
    $ldap = bound($alice, $made);
    told(0, $ldap->modify($alice, changes => [
        delete => [userPassword => $made], add => [userPassword => 'by modify, as some do']]));
    bound($alice, 'by modify, as some do');
    my $hanna = bound("uid=hanna,$people");
    my $reset = told(0, $hanna->set_password(user => $bob))->gen_password;
    my $bobs = connection();
    my $login = told(0, $bobs->bind($bob, password => $reset, control => [$policy]));
    ($answer) = $login->control(LDAP_CONTROL_PASSWORDPOLICY) or die 'no answer about the policy';
    is($answer->pp_error, 2);
    told(50, $hanna->set_password(user => $admin, newpasswd => 'a much better secret'));
}

transports();
information();
searches();
writes();
passwords();
